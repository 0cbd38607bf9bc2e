import { inSlices } from '../lib/in-slices.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { LinearRegex } from '../lib/linear-regex.ts';
import { RegexError } from '../lib/regex-syntax.ts';
import type { TableList } from '../pipeline/connector.ts';
import type { TableId } from '../pipeline/table.ts';
import type { SelectionRule, TableMapping } from './job-spec.ts';
import type { NameRules } from './target-names.ts';
import type { WantedTask } from './task-definition.ts';

/** Places of patterns looked at, and names compared, over all of a job: each about half a second. */
const WORK_MAX = 4_000_000;
const COMPARISONS_MAX = 10_000_000;
/** What the patterns of a job come to together: some milliseconds, and memory. */
const STEPS_MAX = 100_000;

/** The rules of one mapping, which together pick tables: included first, then excluded. */
export interface TableSelection {
  /** Where it stands, for messages. */
  readonly place: string;
  readonly databases: Choice;
  readonly tables: Choice;
  /** How targets of what it picks are named; null: as the writer's options say. */
  readonly names: NameRules | null;
}

export interface PickedTable {
  /** Null is the data source's own. */
  readonly database: string | null;
  readonly table: string;
  readonly names: NameRules | null;
}

interface Choice {
  readonly include: readonly NameRule[];
  readonly exclude: readonly NameRule[];
}

interface NameRule {
  readonly kind: 'exact' | 'regex';
  readonly expression: string;
}

/** Reads the rules of mappings; what is wrong with them is added to `problems`. */
export function readSelections(mappings: readonly TableMapping[], problems: string[]): TableSelection[] {
  const steps = { left: STEPS_MAX };
  return mappings.map((mapping, index) => readSelection(mapping, `TableMappings[${index + 1}]`, { steps, problems }));
}

function readSelection(
  mapping: TableMapping,
  place: string,
  { steps, problems }: { readonly steps: { left: number }; readonly problems: string[] },
): TableSelection {
  for (const [index, rule] of mapping.SourceObjectSelectionRules.entries()) {
    const problem = ruleProblem(rule, steps);
    if (problem !== null) problems.push(`${place}.SourceObjectSelectionRules[${index + 1}].Expression ${problem}`);
  }
  const choice = (types: readonly string[]): Choice => {
    const rules = mapping.SourceObjectSelectionRules.filter(({ ObjectType }) => types.includes(ObjectType));
    const of = (exclude: boolean) =>
      rules
        .filter(({ Action }) => (Action === 'Exclude') === exclude)
        .map(({ Expression, ExpressionType }): NameRule => {
          return { kind: ExpressionType === 'Regex' ? 'regex' : 'exact', expression: Expression };
        });
    return { include: of(false), exclude: of(true) };
  };
  // MySQL has one level where others have two.
  const databases = choice(['Database', 'Schema']);
  if (databases.include.length === 0 && databases.exclude.length > 0)
    problems.push(`${place} excludes databases and includes none: include what is to be picked from, such as Regex .*`);
  return { place, databases, tables: choice(['Table']), names: null };
}

function ruleProblem({ Expression, ExpressionType }: SelectionRule, steps: { left: number }): string | null {
  if (ExpressionType !== 'Regex')
    return Expression.length > 64 ? 'is a name, and names have at most 64 characters' : null;
  // One of the patterns before it was said to be too much.
  if (steps.left < 0) return null;
  try {
    steps.left -= new LinearRegex(Expression).size;
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return `is no regular expression that can be used: ${error.message}`;
  }
  return steps.left < 0
    ? `is too much: the patterns of the job come to more than ${STEPS_MAX} steps, their counts written out; make jobs of them`
    : null;
}

/** Whether the tables there are must be known: not when every one is named. */
export function needsList(selections: readonly TableSelection[]): boolean {
  const named = ({ include }: Choice) => include.length > 0 && include.every(({ kind }) => kind === 'exact');
  return selections.some(
    ({ databases, tables }) => !named(tables) || !(databases.include.length === 0 || named(databases)),
  );
}

/**
 * The tables that mappings pick. A table that is named with its database is picked whether it is there or not, so that the
 * plan says that it is missing; a mapping that picks none is a problem. Comparing takes a while: it leaves others their turn.
 */
export function pickTables(
  selections: readonly TableSelection[],
  from: { readonly list: TableList | null; readonly ownDatabase: string | null; readonly problems: string[] },
): Promise<readonly PickedTable[]> {
  return inSlices(pick(selections, from));
}

/** May be left where it yields. */
type Slices<T> = Generator<void, T>;

function* pick(
  selections: readonly TableSelection[],
  { list, ownDatabase, problems }: Parameters<typeof pickTables>[1],
): Slices<readonly PickedTable[]> {
  const picked = new Map<string, PickedTable>();
  const pickedBy = new Map<string, TableSelection>();
  const work = { places: 0, comparisons: 0 };
  for (const selection of selections) {
    if (selection.databases.include.length === 0 && ownDatabase === null) {
      problems.push(`${selection.place} includes no database, and the data source has none of its own`);
      continue;
    }
    const byName = yield* named(selection, list, work);
    const found = [...byName, ...(yield* listed(selection, list, { ownDatabase, work }))];
    for (const { database, table } of found) {
      const name = `${database ?? ownDatabase ?? ''}.${table}`;
      const other = pickedBy.get(name) ?? selection;
      if (other !== selection && canonicalJson(namesOf(other)) !== canonicalJson(namesOf(selection)))
        problems.push(`${other.place} and ${selection.place} both pick ${name}, and name its target in different ways`);
      pickedBy.set(name, other);
      picked.set(`${database ?? ''}\0${table}`, { database, table, names: selection.names });
    }
    if (found.length === 0) problems.push(`${selection.place} picks no table: check its names and patterns`);
    if (work.places > WORK_MAX || work.comparisons > COMPARISONS_MAX) {
      problems.push(
        `${selection.place}: the patterns of the job take too long; write simpler ones, or make jobs of them`,
      );
      return [];
    }
  }
  return [...picked.values()];
}

function namesOf({ names }: TableSelection): Json {
  return names as unknown as Json; // texts and lists of them
}

interface Work {
  places: number;
  comparisons: number;
}

/** Both names are exact. */
function* named(
  { databases, tables }: TableSelection,
  list: TableList | null,
  work: Work,
): Slices<WantedTask['tables']> {
  const isExact = ({ kind }: NameRule) => kind === 'exact';
  const owners: (string | null)[] =
    databases.include.length === 0 ? [null] : databases.include.filter(isExact).map(({ expression }) => expression);
  const ignoresCase = list?.ignoresCase ?? false;
  const outside = matcher(databases.exclude, ignoresCase, work);
  const left = matcher(tables.exclude, ignoresCase, work);
  const found: { readonly database: string | null; readonly table: string }[] = [];
  for (const database of owners) {
    if (database !== null && (yield* outside(database))) continue;
    for (const rule of tables.include)
      if (isExact(rule) && !(yield* left(rule.expression))) found.push({ database, table: rule.expression });
  }
  return found;
}

/** Of the tables there are. */
function* listed(
  { databases, tables }: TableSelection,
  list: TableList | null,
  { ownDatabase, work }: { readonly ownDatabase: string | null; readonly work: Work },
): Slices<readonly TableId[]> {
  if (list === null) return [];
  const own: NameRule[] = ownDatabase === null ? [] : [{ kind: 'exact', expression: ownDatabase }];
  const all: NameRule[] = [{ kind: 'regex', expression: '.*' }];
  const chooses = ({ include, exclude }: Choice, otherwise: readonly NameRule[]): Matcher => {
    const takes = matcher(include.length === 0 ? otherwise : include, list.ignoresCase, work);
    const leaves = matcher(exclude, list.ignoresCase, work);
    return function* (name) {
      return (yield* takes(name)) && !(yield* leaves(name));
    };
  };
  const takesDatabase = remembering(chooses(databases, own));
  const takesTable = chooses(tables, all);
  const found: TableId[] = [];
  for (const table of list.tables)
    if ((yield* takesDatabase(table.database)) && (yield* takesTable(table.table))) found.push(table);
  return found;
}

type Matcher = (name: string) => Slices<boolean>;

function matcher(rules: readonly NameRule[], ignoresCase: boolean, work: Work): Matcher {
  const fold = (name: string) => (ignoresCase ? name.toLowerCase() : name);
  const names = new Set(rules.flatMap(({ kind, expression }) => (kind === 'exact' ? [fold(expression)] : [])));
  const patterns = rules
    .filter(({ kind }) => kind === 'regex')
    .map(({ expression }) => new LinearRegex(expression, { ignoreCase: ignoresCase }));
  return function* (name) {
    work.comparisons += 1;
    yield;
    if (names.has(fold(name))) return true;
    for (const pattern of patterns) {
      if (work.places > WORK_MAX) return false; // given up: the job is refused
      const matches = pattern.matches(name);
      work.places += pattern.work;
      if (matches) return true;
      yield;
    }
    return false;
  };
}

/** Tables come by the thousand, their databases by the dozen. */
function remembering(takes: Matcher): Matcher {
  const known = new Map<string, boolean>();
  return function* (name) {
    const before = known.get(name);
    if (before !== undefined) return before;
    const found = yield* takes(name);
    known.set(name, found);
    return found;
  };
}
