import { stringifyJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json-value.ts';
import { invalidParameter } from '../errors.ts';
import type { ParameterTexts } from './parameters.ts';

const DEPTH_MAX = 10;
const INDEX = /^[1-9][0-9]{0,4}$/;

type Node = string | Map<string, Node>;

/**
 * The text of a structured parameter. Clients send one JSON text, `Name=[{"Key":"x"}]`; older ones and V1 cores one
 * parameter for each leaf, `Name.1.Key=x`, which become the same JSON with texts as leaves. Empty when there is none.
 * Errors: ApiError 400 when it came in both forms, or when leaves contradict each other.
 */
export function structuredText(name: string, given: ParameterTexts): string {
  const text = given.get(name) ?? '';
  const root: Node = new Map();
  for (const [key, value] of given) {
    if (key.startsWith(`${name}.`)) place(root, key.slice(name.length + 1).split('.'), { key, value });
  }
  if (root.size === 0) return text;
  if (text !== '') throw invalidParameter(`${name} is given as one text and as ${name}.… at once; send one of them.`);
  return stringifyJson(toJson(root, name));
}

function place(root: Map<string, Node>, path: readonly string[], leaf: { key: string; value: string }): void {
  const refuse = (why: string) => invalidParameter(`${leaf.key.slice(0, 100)} ${why}.`);
  if (path.length > DEPTH_MAX) throw refuse(`must have at most ${DEPTH_MAX} steps behind its name`);
  if (path.includes('')) throw refuse('must have no empty step');
  let node = root;
  for (const step of path.slice(0, -1)) {
    let next = node.get(step);
    if (next === undefined) node.set(step, (next = new Map()));
    if (typeof next === 'string') throw refuse(`is given, and what stands before it has a value of its own`);
    node = next;
  }
  const last = path.at(-1) ?? '';
  if (node.has(last)) throw refuse('has a value of its own, and others below it');
  node.set(last, leaf.value);
}

/** Steps that are all numbers are a list, counted from 1. */
function toJson(node: Node, name: string): Json {
  if (typeof node === 'string') return node;
  const steps = [...node];
  if (!steps.every(([step]) => INDEX.test(step))) {
    return Object.fromEntries(steps.map(([step, inner]) => [step, toJson(inner, `${name}.${step}`)]));
  }
  return steps.map((_, index) => {
    const inner = node.get(String(index + 1));
    if (inner === undefined)
      throw invalidParameter(`${name}.${index + 1} is missing: the items of a list are counted from 1 without a gap.`);
    return toJson(inner, `${name}.${index + 1}`);
  });
}
