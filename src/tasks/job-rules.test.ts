import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonObject } from '../lib/json.ts';
import { readRules } from './job-rules.ts';
import type { JobSpec, TransformationRule } from './job-spec.ts';
import type { RouteName } from './task-definition.ts';
import { namedOf, nameTarget } from './target-names.ts';

function rule(action: string, expression: object, name = 'r', target = 'Table'): TransformationRule {
  return {
    RuleName: name,
    RuleActionType: action,
    RuleTargetType: target,
    RuleExpression: JSON.stringify(expression),
  };
}

/** What rules come to that mappings use, each its own; or what is said against them. */
function read(mappings: readonly (readonly TransformationRule[])[], route: RouteName = 'oneclick_to_holo') {
  const rules = [...new Set(mappings.flat())];
  const spec = {
    TransformationRules: rules,
    TableMappings: mappings.map((TransformationRules) => ({ SourceObjectSelectionRules: [], TransformationRules })),
  } as unknown as JobSpec; // what is read of it
  const wrong: string[] = [];
  const missing: string[] = [];
  const found = readRules(spec, route, { wrong, missing, readJson: (text) => parseJsonObject(text) });
  return wrong.length + missing.length === 0 ? found : [...missing.map((text) => `not served: ${text}`), ...wrong];
}

const dml = (...policies: readonly (readonly [string, string])[]) =>
  rule('HandleDml', { dmlPolicies: policies.map(([dmlType, dmlAction]) => ({ dmlType, dmlAction })) });
const rename = (expression: string, name = expression, target = 'Table') =>
  rule('Rename', { expression }, name, target);

test('renames that all mappings share are options of the writer', () => {
  const used = [rename('ods', 'a', 'Schema'), rename('ods_${srcTableName}')];
  const writer = { schema: 'ods', table: 'ods_${srcTableName}' };
  assert.deepEqual(read([used, used]), { reader: {}, writer, names: [null, null] });
  const topic = { reader: {}, writer: { topic: 'all' }, names: [null] };
  assert.deepEqual(read([[rename('all')]], 'oneclick_to_kafka'), topic);
  assert.deepEqual(read([[], []]), { reader: {}, writer: {}, names: [null, null] });
});

test('renames that differ, or change their variables, name the tables of each mapping', () => {
  const changed = rule('Rename', {
    expression: '${srcDatabaseName}_${srcTableName}',
    variables: [
      {
        variableName: '${srcTableName}',
        variableRules: [
          { from: 't_', to: '' },
          { from: 'b', to: 'c' },
        ],
      },
      { variableName: 'srcDatabaseName', variableRules: [{ from: 'shop', to: '$&' }] },
    ],
  });
  const found = read([[rename('s', 's', 'Schema'), changed], []]);
  assert.ok('names' in found);
  const of = { table: { database: 'shop', table: 't_bob_t_' }, sourceName: 'src' };
  assert.deepEqual(
    found.names.map((names) => names && nameTarget(names, of)),
    [{ schema: 's', table: '$&_coc_' }, {}],
  );
  assert.deepEqual([found.reader, found.writer], [{}, {}]);
});

test('a table is found by its name, whatever its case where the server spells it in another way', () => {
  const named = [
    { table: { database: 'shop', table: 'A' }, target: { table: 'upper' } },
    { table: { database: 'shop', table: 'a' }, target: { table: 'lower' } },
    { table: { database: 'Shop', table: 'Items' }, target: {} },
  ];
  const of = (database: string, table: string) => namedOf([{ database, table }], named);
  assert.deepEqual(
    [of('shop', 'A'), of('shop', 'a'), of('shop', 'items')],
    [[{ table: 'upper' }], [{ table: 'lower' }], [{}]],
  );
  assert.throws(() => of('shop', 'b'), /nothing names the target of shop\.b/);
  assert.deepEqual(namedOf([{ database: 'shop', table: 'b' }], []), [null]);
});

test('changes that are ignored are an option of the reader, and Normal says nothing', () => {
  const ignored = dml(['Insert', 'Normal'], ['Delete', 'Ignore']);
  assert.deepEqual(read([[ignored]]), { reader: { dmlPolicies: { delete: 'IGNORE' } }, writer: {}, names: [null] });
  assert.deepEqual(read([[dml(['Delete', 'Normal'])], []]), { reader: {}, writer: {}, names: [null, null] });
});

test('a primary key is what messages to Kafka are keyed by', () => {
  const key = rule('DefinePrimaryKey', { columns: ['a', 'b'] });
  const keyed = { reader: {}, writer: { keyColumns: ['a', 'b'] }, names: [null] };
  assert.deepEqual(read([[key]], 'oneclick_to_kafka'), keyed);
});

for (const [what, mappings, said, route] of [
  [
    'a variable that is not known',
    [[rename('${x}')]],
    'TransformationRules[1].RuleExpression.expression: ${x} is not known',
  ],
  [
    'changes of one',
    [[rule('Rename', { expression: 'a', variables: [{ variableName: 'x', variableRules: [{ to: 'b' }] }] })]],
    'TransformationRules[1].RuleExpression.variables[1].variableName is not known | TransformationRules[1].RuleExpression.variables[1].variableRules[1].from must be the text to replace',
  ],
  [
    'two renames of one thing',
    [[rename('a'), rename('b')]],
    'TableMappings[1].TransformationRules[2]: another Rename of Table is used in this mapping',
  ],
  [
    'changes that are filtered',
    [[dml(['Delete', 'Filter'])]],
    'not served: TransformationRules[1].RuleExpression.dmlPolicies[1].dmlAction Filter is not served: conditions on rows are not evaluated; Normal and Ignore are',
  ],
  [
    'deletes that mark',
    [[dml(['Delete', 'LogicalDelete'])]],
    'not served: TransformationRules[1].RuleExpression.dmlPolicies[1].dmlAction LogicalDelete is not served: targets have no column that says so; Normal and Ignore are',
  ],
  [
    'unknown changes and actions',
    [[dml(['Merge', 'Ignore'], ['Delete', 'Drop'])]],
    'TransformationRules[1].RuleExpression.dmlPolicies[1].dmlType must be Insert, Update, Delete | TransformationRules[1].RuleExpression.dmlPolicies[2].dmlAction must be Normal, Ignore, Filter or LogicalDelete',
  ],
  [
    'names that every object has',
    [[dml(['constructor', 'Ignore'], ['Delete', 'toString'])]],
    'TransformationRules[1].RuleExpression.dmlPolicies[1].dmlType must be Insert, Update, Delete | TransformationRules[1].RuleExpression.dmlPolicies[2].dmlAction must be Normal, Ignore, Filter or LogicalDelete',
  ],
  [
    'two policies for one change',
    [[dml(['Delete', 'Ignore'], ['Delete', 'Normal'])]],
    'TransformationRules[1].RuleExpression.dmlPolicies[2]: another policy for delete is used in the same mapping',
  ],
  [
    'no policies',
    [[rule('HandleDml', {})]],
    'TransformationRules[1].RuleExpression must be {"dmlPolicies":[{"dmlType":"...","dmlAction":"..."}]}',
  ],
  [
    'policies that differ between mappings',
    [[dml(['Delete', 'Ignore'])], []],
    'not served: TableMappings: every mapping of a job must use the same HandleDml; make a job of those with another one',
  ],
  [
    'a primary key at Hologres',
    [[rule('DefinePrimaryKey', { columns: ['a'] })]],
    'not served: TransformationRules[1]: DefinePrimaryKey is not served for Hologres: changes find their rows by the key of the source table',
  ],
  [
    'a primary key without columns',
    [[rule('DefinePrimaryKey', { columns: [1] })]],
    'TransformationRules[1].RuleExpression must be {"columns":["..."]} with names of columns',
    'oneclick_to_kafka',
  ],
  [
    'keys that differ between mappings',
    [[rule('DefinePrimaryKey', { columns: ['a'] })], []],
    'not served: TableMappings: every mapping of a job must use the same DefinePrimaryKey; make a job of those with another one',
    'oneclick_to_kafka',
  ],
  [
    'columns of its own',
    [[rule('AddColumn', {})]],
    'not served: TransformationRules[1]: AddColumn is not served: targets have the columns of their source tables and no others',
  ],
  [
    'conditions of batch jobs',
    [[rule('DefineIncrementalCondition', {})]],
    'not served: TransformationRules[1]: DefineIncrementalCondition is not served: it is of batch jobs',
  ],
] as const satisfies readonly (readonly [string, readonly (readonly TransformationRule[])[], string, RouteName?])[]) {
  test(`refuses ${what}`, () => {
    const found = read(mappings, route ?? 'oneclick_to_holo');
    assert.equal(Array.isArray(found) ? found.join(' | ') : 'read', said);
  });
}
