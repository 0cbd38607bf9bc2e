import { CorruptEvent } from './corrupt-event.ts';

/** A JSON value of which the scalars stay the text that they are; members in the server's order. */
export type JsonTree =
  | { readonly kind: 'object'; readonly members: Member[] }
  | { readonly kind: 'array'; readonly elements: JsonTree[] }
  | { readonly kind: 'scalar'; readonly text: string };

interface Member {
  readonly key: string;
  value: JsonTree;
}

/** One step of a path: the key of a member, or the index of an element. */
export type PathLeg = string | number;

const SCALAR = /"(?:[^"\\]|\\.)*"|[^,\]}\s]+/y;

/** Reads what `printTree` and JsonDocument write. Errors: CorruptEvent. */
export function parseTree(text: string): JsonTree {
  let at = 0;
  const take = (mark: string) => {
    if (text[at] !== mark) return false;
    at += 1;
    while (text[at] === ' ') at += 1;
    return true;
  };
  const scalar = () => {
    SCALAR.lastIndex = at;
    const [found] = SCALAR.exec(text) ?? [];
    if (found === undefined) throw damaged();
    at += found.length;
    return found;
  };
  const value = (): JsonTree => {
    if (take('{')) {
      const members: Member[] = [];
      while (!take('}')) {
        const key = JSON.parse(scalar()) as string;
        if (!take(':')) throw damaged();
        members.push({ key, value: value() });
        take(',');
      }
      return { kind: 'object', members };
    }
    if (take('[')) {
      const elements: JsonTree[] = [];
      while (!take(']')) {
        elements.push(value());
        take(',');
      }
      return { kind: 'array', elements };
    }
    return { kind: 'scalar', text: scalar() };
  };
  return value();
}

export function printTree(tree: JsonTree): string {
  switch (tree.kind) {
    case 'object':
      return `{${tree.members.map(({ key, value }) => `${quoted(key)}: ${printTree(value)}`).join(', ')}}`;
    case 'array':
      return `[${tree.elements.map(printTree).join(', ')}]`;
    case 'scalar':
      return tree.text;
  }
}

/** `$.key."other key"[3]`. Errors: CorruptEvent. */
export function parsePath(path: string): PathLeg[] {
  const legs: PathLeg[] = [];
  const leg = /\.("(?:[^"\\]|\\.)*")|\.([^.["]+)|\[(\d+)\]/y;
  leg.lastIndex = 1;
  while (leg.lastIndex < path.length) {
    const [found, quotedKey, key, index] = leg.exec(path) ?? [];
    if (found === undefined) throw damaged();
    legs.push(quotedKey !== undefined ? (JSON.parse(quotedKey) as string) : (key ?? Number(index)));
  }
  if (!path.startsWith('$')) throw damaged();
  return legs;
}

/** Puts `value` in the place of what is at the path. */
export function replaceAt(tree: JsonTree, path: readonly PathLeg[], value: JsonTree): JsonTree {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(tree, path);
  if (parent.kind === 'array') {
    if (typeof last !== 'number' || last >= parent.elements.length) throw damaged();
    parent.elements[last] = value;
  } else memberOf(parent, last).value = value;
  return tree;
}

/** Adds a member, or an element before the one that has the index now. */
export function insertAt(tree: JsonTree, path: readonly PathLeg[], value: JsonTree): JsonTree {
  const last = path.at(-1);
  const parent = parentOf(tree, path);
  if (parent.kind === 'array') {
    if (typeof last !== 'number') throw damaged();
    parent.elements.splice(last, 0, value);
    return tree;
  }
  if (typeof last !== 'string') throw damaged();
  const behind = parent.members.findIndex(({ key }) => compareKeys(key, last) > 0);
  parent.members.splice(behind < 0 ? parent.members.length : behind, 0, { key: last, value });
  return tree;
}

export function removeAt(tree: JsonTree, path: readonly PathLeg[]): JsonTree {
  const last = path.at(-1);
  const parent = parentOf(tree, path);
  if (parent.kind === 'array') {
    if (typeof last !== 'number' || last >= parent.elements.length) throw damaged();
    parent.elements.splice(last, 1);
  } else parent.members.splice(parent.members.indexOf(memberOf(parent, last)), 1);
  return tree;
}

type Parent = Exclude<JsonTree, { kind: 'scalar' }>;

function parentOf(tree: JsonTree, path: readonly PathLeg[]): Parent {
  let node: JsonTree | undefined = tree;
  for (const leg of path.slice(0, -1)) {
    if (node.kind === 'scalar') throw damaged();
    node = node.kind === 'array' ? node.elements[typeof leg === 'number' ? leg : -1] : memberOf(node, leg).value;
    if (node === undefined) throw damaged();
  }
  if (node.kind === 'scalar' || path.length === 0) throw damaged();
  return node;
}

function memberOf({ members }: Extract<JsonTree, { kind: 'object' }>, leg: PathLeg | undefined): Member {
  const member = members.find(({ key }) => key === leg);
  if (member === undefined) throw damaged();
  return member;
}

/** Shorter keys first, then by their bytes. */
function compareKeys(a: string, b: string): number {
  const [one, two] = [Buffer.from(a), Buffer.from(b)];
  return one.length - two.length || one.compare(two);
}

/** JSON.stringify escapes as the server does, but for lone surrogates, which UTF-8 has none of. */
function quoted(key: string): string {
  return JSON.stringify(key);
}

function damaged(): CorruptEvent {
  return new CorruptEvent('a change of a JSON document does not fit it');
}
