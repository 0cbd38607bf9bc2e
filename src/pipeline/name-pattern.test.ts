import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillPattern, isVariable, unknownVariables } from './name-pattern.ts';

const OF = { table: { database: 'shop$&', table: 't' }, sourceName: 'src' };

test('variables are filled in as they are, and what is none stays', () => {
  assert.equal(fillPattern('ods_${srcDatabaseName}_${x}', OF), 'ods_shop$&_${x}');
  assert.equal(fillPattern('${srcDatasourceName}.${db}.${table}.${srcTableName}', OF), 'src.shop$&.t.t');
});

test('values may be changed on the way', () => {
  assert.equal(
    fillPattern('${db}-${table}', OF, (value, name) => `${name}:${value}`),
    'db:shop$&-table:t',
  );
});

test('variables that are not known are named', () => {
  assert.deepEqual(unknownVariables('${db}${tabel}${}'), ['${tabel}', '${}']);
  assert.deepEqual(['srcTableName', 'toString'].map(isVariable), [true, false]);
});
