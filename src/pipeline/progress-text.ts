import { stringifyJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import type { TableProgress } from './checkpoint.ts';

const texts = new WeakMap<TableProgress, string>();

/**
 * A table's state as JSON text, for a checkpoint. States are immutable, and most of them are the same object from one
 * commit to the next: each is written out once. A thousand tables of twenty columns would be 4 MB a commit otherwise.
 */
export function progressText(progress: TableProgress): string {
  let text = texts.get(progress);
  if (text === undefined) {
    text = stringifyJson(progress as unknown as Json);
    texts.set(progress, text);
  }
  return text;
}
