import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { operations } from '../../src/api/catalogue.ts';
import type { Field, Operation } from '../../src/api/operation.ts';
import type { Json, JsonObject } from '../../src/lib/json-value.ts';
import { type Client, openApiClient, popCoreClient, textOf } from '../support/api-clients.ts';
import { type Made, STEPS, type Step } from '../support/every-operation.ts';
import { type AccessKey, Service } from '../support/service.ts';
import { type Ends, openEnds, TaskUnderTest } from '../support/task-under-test.ts';

const PROJECT = 41;
const STEP_MS = 30_000;

let service: Service;
let key: AccessKey;
let ends: Ends;

before(async () => {
  service = new Service({ dev: false });
  [key, ends] = await Promise.all([service.makeProject(PROJECT), openEnds('mariadb')]);
  await service.restart();
  await ends.mysql.query(
    'CREATE TABLE orders (id INT PRIMARY KEY, n INT); CREATE TABLE customers LIKE orders; INSERT INTO orders VALUES (1, 1); INSERT INTO customers VALUES (7, 7)',
  );
});
after(async () => {
  await Promise.allSettled([service.dispose(), ends.close()]);
});

test('the life of every operation has every operation of the catalogue, and no other', () => {
  const exercised = new Set(STEPS.map(({ action }) => action));
  assert.deepEqual([...exercised].toSorted(), operations.map(({ name }) => name).toSorted());
});

const CLIENTS: readonly (readonly [name: string, make: () => Client])[] = [
  ['openapi-client, signature V3', () => openApiClient(service.port, 'v3', key)],
  ['pop-core, signature V1', () => popCoreClient(service.port, 'POST', key)],
];

for (const [name, make] of CLIENTS) {
  test(`the running service serves every operation to ${name}, with the answer that the catalogue says`, async () => {
    const client = make();
    const made = newLife();
    for (const one of STEPS) {
      const answer = await take(one, { client, made });
      const { answer: fields } = operationOf(one.action);
      const { RequestId, ...body } = answer;
      assert.match(textOf(RequestId), /^[0-9A-F-]{36}$/, one.action);
      assert.deepEqual(departures(body, fields, one.action), []);
      one.check?.(answer, made);
    }
  });
}

function newLife(): Made {
  const { source, target, database, targetDatabase } = ends;
  const task = new TaskUnderTest(service, ends);
  const login = ({ user, password }: { user: string; password: string }) => ({ username: user, password });
  return {
    name: task.name,
    source: JSON.stringify({ jdbcUrl: `jdbc:mysql://127.0.0.1:${source.port}/${database}`, ...login(source) }),
    sink: JSON.stringify({ jdbcUrl: `jdbc:postgresql://127.0.0.1:${target.port}/${targetDatabase}`, ...login(target) }),
    database,
    taskParam: (table) => task.createParam({ table }),
    ids: new Map(),
  };
}

/** The answer to a step, asked for again until it is the one that the step waits for. */
async function take({ action, query, form, until }: Step, { client, made }: { client: Client; made: Made }) {
  const common = { ProjectId: String(PROJECT), TaskType: 'DI_REALTIME' };
  const taken = Object.entries(common).filter(([name]) => name in operationOf(action).parameters);
  const deadline = Date.now() + STEP_MS;
  for (;;) {
    const answer = await client(action, { ...Object.fromEntries(taken), ...query(made) }, form?.(made)).catch(
      (error: unknown) => assert.fail(`${action}: ${String(error)}`),
    );
    if (until === undefined || until(answer)) return answer;
    assert.ok(Date.now() < deadline, `${action} did not come to that: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}

function operationOf(action: string): Operation {
  const operation = operations.find(({ name }) => name === action);
  assert.ok(operation, `${action} is not in the catalogue`);
  return operation;
}

/** Where an answer is not what the catalogue says: keys that are missing or too many, values of another type. Null is any. */
function departures(value: JsonObject, fields: readonly Field[], place: string): string[] {
  const known = new Set(fields.map(({ name }) => name));
  const more = Object.keys(value).flatMap((name) => (known.has(name) ? [] : [`${place}.${name} is in no field`]));
  return [...more, ...fields.flatMap((field) => departuresOf(value[field.name], field, `${place}.${field.name}`))];
}

function departuresOf(value: Json | undefined, { type, fields }: Field, place: string): string[] {
  if (value === undefined) return [`${place} is missing`];
  if (value === null) return [];
  if (!isOfType(value, type)) return [`${place} is no ${type}`];
  if (fields === undefined) return [];
  const objects = (type === 'list' ? value : [value]) as JsonObject[];
  return objects.flatMap((one) => departures(one, fields, place));
}

function isOfType(value: Json, type: Field['type']): boolean {
  switch (type) {
    case 'long':
    case 'integer':
      return typeof value === 'bigint' || Number.isInteger(value);
    case 'list':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
  }
}
