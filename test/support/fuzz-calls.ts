import { operations } from '../../src/api/catalogue.ts';
import type { Operation } from '../../src/api/operation.ts';
import { goodParameters } from './api-clients.ts';
import { below, JSON_TEXTS, jsonValue, nearlyJson, type Random, TEXTS } from './fuzz-texts.ts';
import { pick } from './log-grammar.ts';

const SCRIPTS: Readonly<Record<string, string>> = {
  TaskParam: JSON.stringify({
    setting: { taskType: 'oneclick_to_holo', resourceGroup: 'g' },
    steps: [
      {
        stepType: 'mysql',
        category: 'reader',
        parameter: { connection: [{ datasource: 'shop_mysql', table: ['a', 'b'] }] },
      },
      { stepType: 'holo', category: 'writer', parameter: { datasource: 'bi_holo' } },
    ],
  }),
  TaskContent: JSON.stringify({
    type: 'job',
    extend: { mode: 'migration_holo', resourceGroup: 'g', initialLoad: 'all', disync: { processId: 1, planHash: 'x' } },
    steps: [
      {
        stepType: 'mysql',
        category: 'reader',
        parameter: { connection: [{ datasource: 'shop_mysql', table: ['a', 'b'] }] },
      },
      {
        stepType: 'holo',
        category: 'writer',
        parameter: { datasource: 'bi_holo', tableMappingRule: { datasource: [] } },
      },
    ],
  }),
  StartParam:
    '{"failoverLimit":{"count":1,"interval":1},"errorLimit":{"record":0},"startPosition":{"file":"b.1","position":4}}',
  Content: '{"jdbcUrl":"jdbc:mysql://h/shop","database":"shop","username":"u","password":"p"}',
};

export interface Parameters {
  readonly operation: Operation;
  readonly texts: Map<string, string>;
}

/** What an operation may be called with. */
export function goodCall(random: Random): Parameters {
  const operation = pick(random, operations);
  return { operation, texts: new Map(Object.entries(goodParameters(operation.name))) };
}

/** A call with one to three parameters that are not what they should be. */
export function badCall(random: Random): Parameters {
  const { operation, texts } = goodCall(random);
  const names = Object.keys(operation.parameters);
  for (let change = 0; change <= below(random, 3); change += 1) {
    const name =
      random() < 0.05
        ? pick(random, ['__proto__', 'constructor', 'Action', 'x'.repeat(300), '', 'a.1.b'])
        : pick(random, names);
    texts.set(name, badText(random, name, texts.get(name) ?? '', operation));
  }
  if (random() < 0.05) texts.delete(pick(random, [...texts.keys()]));
  return { operation, texts };
}

function badText(random: Random, name: string, good: string, operation: Operation): string {
  const script = Object.hasOwn(SCRIPTS, name) ? (SCRIPTS[name] ?? '') : good;
  const isJson =
    (Object.hasOwn(operation.parameters, name) && operation.parameters[name]?.json === true) || /^[[{]/.test(script);
  if (!isJson || random() < 0.15) return random() < 0.05 ? 'x'.repeat(below(random, 5000)) : pick(random, TEXTS);
  const dice = random();
  if (dice < 0.2) return pick(random, JSON_TEXTS);
  if (dice < 0.45) return JSON.stringify(jsonValue(random, 5));
  return /^[[{]/.test(script) ? nearlyJson(random, script) : JSON.stringify(jsonValue(random, 5));
}
