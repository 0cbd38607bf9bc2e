import { canonicalJson, isJsonObject } from '../lib/json.ts';
import type { Json, JsonObject } from '../lib/json-value.ts';
import { isVariable, unknownVariables } from '../pipeline/name-pattern.ts';
import { type JobSpec, RENAMED, type RuleKey, SINK_TYPES, type TransformationRule } from './job-spec.ts';
import type { RouteName } from './task-definition.ts';
import type { NameRule, NameRules } from './target-names.ts';

/** What the rules come to that the mappings of a job use. */
export interface JobRules {
  /** Options of the reader and the writer, the same for all tables. */
  readonly reader: JsonObject;
  readonly writer: JsonObject;
  /** By mapping: how targets of its tables are named; null where the writer's options say it. */
  readonly names: readonly (NameRules | null)[];
}

/** What is wrong with a job, and what of it is not served. */
export interface Findings {
  readonly wrong: string[];
  readonly missing: string[];
  readJson(text: string, place: string): JsonObject;
}

/** What the rules of one mapping come to. */
interface Uses {
  readonly names: { -readonly [target in keyof NameRules]: NameRules[target] };
  /** By kind of change, in the reader's words. */
  readonly dml: Record<string, string>;
  key: readonly string[] | null;
}

interface Rule {
  readonly key: RuleKey;
  readonly place: string;
  readonly expression: JsonObject;
}

/** Of each action that is not served, why. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  AddColumn: 'targets have the columns of their source tables and no others',
  DefineIncrementalCondition: 'it is of batch jobs',
  DefineCycleScheduleSettings: 'it is of batch jobs',
  DefineRuntimeSettings: 'nothing at run time differs from table to table; JobSettings has what is served',
  DefinePartitionKey: 'targets have no partitions',
};
const CHANGES: ReadonlyMap<string, string> = new Map([
  ['Insert', 'insert'],
  ['Update', 'update'],
  ['Delete', 'delete'],
]);
const ACTIONS: ReadonlyMap<string, string> = new Map([
  ['Normal', 'NORMAL'],
  ['Ignore', 'IGNORE'],
]);

/** Reads the rules that are used. One that no mapping uses does nothing. */
export function readRules(spec: JobSpec, route: RouteName, findings: Findings): JobRules {
  const rules = definedRules(spec.TransformationRules ?? [], findings);
  const uses = spec.TableMappings.map(({ TransformationRules }, index) => {
    const own: Uses = { names: { schema: null, table: null }, dml: {}, key: null };
    for (const [at, key] of (TransformationRules ?? []).entries()) {
      const place = `TableMappings[${index + 1}].TransformationRules[${at + 1}]`;
      const rule = rules.get(ruleKey(key));
      if (rule === undefined) findings.wrong.push(`${place}: there is no rule ${describe(key)} in TransformationRules`);
      else use(rule, own, { route, place, findings });
    }
    return own;
  });
  const dml = sameOfAll(
    uses.map(({ dml: own }) => notNormal(own)),
    { action: 'HandleDml', none: {}, findings },
  );
  const key = sameOfAll(
    uses.map((own) => own.key),
    { action: 'DefinePrimaryKey', none: null, findings },
  );
  const reader = Object.keys(dml).length === 0 ? {} : { dmlPolicies: dml };
  const writer = key === null ? {} : { keyColumns: [...key] };
  const names = uses.map((own) => own.names);
  const same = optionsOf(names, route);
  return same === null
    ? { reader, writer, names }
    : { reader, writer: { ...writer, ...same }, names: names.map(() => null) };
}

interface Using {
  readonly route: RouteName;
  readonly place: string;
  readonly findings: Findings;
}

function use(rule: Rule, own: Uses, using: Using): void {
  const { key, place } = rule;
  switch (key.RuleActionType) {
    case 'Rename':
      return useRename(rule, own, using);
    case 'HandleDml':
      return useHandleDml(rule, own, using);
    case 'DefinePrimaryKey':
      return useDefinePrimaryKey(rule, own, using);
    default:
      using.findings.missing.push(
        `${place}: ${key.RuleActionType} is not served: ${NOT_SERVED[key.RuleActionType] ?? 'nothing is known of it'}`,
      );
  }
}

const NAMED: Readonly<Record<string, keyof NameRules>> = { Schema: 'schema', Table: 'table' };

function useRename(rule: Rule, { names }: Uses, { route, place, findings }: Using): void {
  const { RuleTargetType: target } = rule.key;
  const part = RENAMED[route][target] === undefined ? undefined : NAMED[target];
  if (part === undefined) {
    findings.missing.push(
      `${rule.place}: a Rename of ${target} cannot be done for ${SINK_TYPES[route]}; of ${Object.keys(RENAMED[route]).join(' and ')} it can`,
    );
    return;
  }
  const name = readName(rule, findings);
  const other = names[part];
  if (other !== null && !isEqual(other, name))
    findings.wrong.push(`${place}: another Rename of ${target} is used in this mapping`);
  names[part] = name;
}

/** `{"expression":"ods_${srcTableName}","variables":[{"variableName":"srcTableName","variableRules":[{"from":"t_","to":""}]}]}` */
function readName({ place, expression }: Rule, { wrong }: Findings): NameRule {
  const pattern = expression['expression'];
  const changes: { variable: string; from: string; to: string }[] = [];
  for (const [index, given] of listOf(expression['variables']).entries()) {
    const at = `${place}.RuleExpression.variables[${index + 1}]`;
    const variable = textOf(given, 'variableName').replace(/^\$\{(.*)\}$/, '$1');
    if (!isVariable(variable)) wrong.push(`${at}.variableName is not known`);
    const rules = listOf(isJsonObject(given) ? given['variableRules'] : undefined);
    for (const [order, change] of rules.entries()) {
      const from = textOf(change, 'from');
      if (from === '') wrong.push(`${at}.variableRules[${order + 1}].from must be the text to replace`);
      changes.push({ variable, from, to: textOf(change, 'to') });
    }
  }
  const [unknown] = typeof pattern === 'string' ? unknownVariables(pattern) : [];
  if (unknown !== undefined) wrong.push(`${place}.RuleExpression.expression: ${unknown} is not known`);
  return { expression: typeof pattern === 'string' ? pattern : '', changes };
}

/** `{"dmlPolicies":[{"dmlType":"Delete","dmlAction":"Ignore"}]}` */
function useHandleDml({ place, expression }: Rule, { dml }: Uses, { findings: { wrong, missing } }: Using): void {
  const policies = expression['dmlPolicies'];
  if (!Array.isArray(policies) || policies.length === 0)
    wrong.push(`${place}.RuleExpression must be {"dmlPolicies":[{"dmlType":"...","dmlAction":"..."}]}`);
  for (const [index, policy] of listOf(policies).entries()) {
    const at = `${place}.RuleExpression.dmlPolicies[${index + 1}]`;
    const change = CHANGES.get(textOf(policy, 'dmlType'));
    const given = textOf(policy, 'dmlAction', 'Normal');
    const action = ACTIONS.get(given);
    if (change === undefined) wrong.push(`${at}.dmlType must be ${[...CHANGES.keys()].join(', ')}`);
    else if (action === undefined) {
      if (given === 'Filter' || given === 'LogicalDelete')
        missing.push(
          `${at}.dmlAction ${given} is not served: ${given === 'Filter' ? 'conditions on rows are not evaluated' : 'targets have no column that says so'}; ${[...ACTIONS.keys()].join(' and ')} are`,
        );
      else wrong.push(`${at}.dmlAction must be ${[...ACTIONS.keys()].join(', ')}, Filter or LogicalDelete`);
    } else {
      if (dml[change] !== undefined && dml[change] !== action)
        wrong.push(`${at}: another policy for ${change} is used in the same mapping`);
      dml[change] = action;
    }
  }
}

/** `{"columns":["a","b"]}` */
function useDefinePrimaryKey(rule: Rule, own: Uses, { route, place, findings: { wrong, missing } }: Using): void {
  if (route !== 'oneclick_to_kafka') {
    missing.push(
      `${rule.place}: DefinePrimaryKey is not served for ${SINK_TYPES[route]}: changes find their rows by the key of the source table`,
    );
    return;
  }
  const columns = listOf(rule.expression['columns']);
  const names = columns.filter((column) => typeof column === 'string');
  if (names.length === 0 || names.length < columns.length)
    wrong.push(`${rule.place}.RuleExpression must be {"columns":["..."]} with names of columns`);
  if (own.key !== null && own.key.join('\0') !== names.join('\0'))
    wrong.push(`${place}: another DefinePrimaryKey is used in this mapping`);
  own.key = names;
}

function notNormal(dml: Uses['dml']): Uses['dml'] {
  return Object.fromEntries(Object.entries(dml).filter(([, action]) => action !== 'NORMAL'));
}

/** What is an option of the whole job. */
function sameOfAll<T>(
  uses: readonly T[],
  { action, none, findings }: { readonly action: string; readonly none: T; readonly findings: Findings },
): T {
  const [first = none, ...others] = uses;
  if (others.some((other) => !isEqual(other, first)))
    findings.missing.push(
      `TableMappings: every mapping of a job must use the same ${action}; make a job of those with another one`,
    );
  return first;
}

/** As options of the writer, where all mappings name targets in the same way, and plainly; else null. */
function optionsOf(names: readonly NameRules[], route: RouteName): JsonObject | null {
  const [first] = names;
  if (first === undefined) return {};
  if (names.some((other) => !isEqual(other, first))) return null;
  const given = Object.entries(RENAMED[route]).flatMap(([target, option]) => {
    const rule = first[NAMED[target] ?? 'table'];
    return rule === null ? [] : [{ option, rule }];
  });
  if (given.some(({ rule }) => rule.changes.length > 0)) return null;
  return Object.fromEntries(given.map(({ option, rule }) => [option, rule.expression]));
}

function definedRules(rules: readonly TransformationRule[], { wrong, readJson }: Findings): Map<string, Rule> {
  const found = new Map<string, Rule>();
  for (const [index, rule] of rules.entries()) {
    const place = `TransformationRules[${index + 1}]`;
    if (found.has(ruleKey(rule))) wrong.push(`${place}: there are two rules ${describe(rule)}`);
    const text = rule.RuleExpression;
    const expression = text === null ? {} : readJson(text, `${place}.RuleExpression`);
    if (
      rule.RuleActionType === 'Rename' &&
      (typeof expression['expression'] !== 'string' || expression['expression'] === '')
    )
      wrong.push(`${place}.RuleExpression must be {"expression":"..."} with the new name`);
    found.set(ruleKey(rule), { key: rule, place, expression });
  }
  return found;
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: Json, name: string, otherwise = ''): string {
  const text = isJsonObject(value) ? value[name] : undefined;
  return typeof text === 'string' ? text : otherwise;
}

function isEqual(one: unknown, other: unknown): boolean {
  return canonicalJson(one as Json) === canonicalJson(other as Json); // of what was read from JSON
}

function ruleKey({ RuleName, RuleActionType, RuleTargetType }: RuleKey): string {
  return JSON.stringify([RuleName, RuleActionType, RuleTargetType]);
}

function describe({ RuleName, RuleActionType, RuleTargetType }: RuleKey): string {
  return `${RuleName} (${RuleActionType} of ${RuleTargetType})`;
}
