// Random policy sets and calls: our evaluation against the naive one.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type AccessRequest, isAllowed } from '../../src/tasks/policy.ts';
import { readPolicy } from '../../src/tasks/policy-reader.ts';
import { naivelyAllowed, type PolicyDocument } from './naive-policy.ts';

const ACTIONS = ['GetDISyncTask', 'GetDISyncInstanceInfo', 'StartDIJob', 'DeleteDISyncTask', 'ListDataSources'];
const PROJECTS = ['10000', '10001', '1', '100'];
const ADDRESSES = ['10.0.0.1', '10.0.0.255', '10.1.0.1', '192.168.0.1', '127.0.0.1', '255.255.255.255', '0.0.0.0'];

/** A name with stars and question marks put over some of it. */
const over = (names: readonly string[]) =>
  fc
    .tuple(fc.constantFrom(...names), fc.nat(), fc.nat(), fc.constantFrom('*', '?', '**', '*?', ''))
    .map(([name, from, to, wild]) => {
      const [start, end] = [from % (name.length + 1), to % (name.length + 1)].toSorted((a, b) => a - b) as [
        number,
        number,
      ];
      return name.slice(0, start) + wild + name.slice(end);
    });

const action = fc.oneof(
  fc.constant('*'),
  over(ACTIONS)
    .filter((name) => name !== '')
    .map((name) => `dataworks:${name}`),
  fc.constantFrom(...ACTIONS).map((name) => `DataWorks:${name.toLowerCase()}`),
);
const resource = fc.oneof(
  fc.constant('*'),
  over(PROJECTS).map((id) => `project/${id}`),
  over(PROJECTS).map((id) => `acs:dataworks:*:*:project/${id}`),
  fc.constantFrom(...PROJECTS).map((id) => `acs:dataworks:cn-shanghai:1234:project/${id}`),
);
const range = fc
  .tuple(fc.constantFrom(...ADDRESSES), fc.constantFrom('', '/32', '/24', '/16', '/8', '/1', '/0'))
  .map(([address, bits]) => address + bits);
const oneOrMany = <T>(one: fc.Arbitrary<T>) => fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 3 }));

const statement = fc
  .tuple(
    fc.constantFrom('Allow', 'Allow', 'Deny'),
    fc.constantFrom('Action', 'Action', 'NotAction'),
    oneOrMany(action),
    fc.constantFrom('Resource', 'Resource', 'NotResource'),
    oneOrMany(resource),
    fc.uniqueArray(fc.constantFrom('IpAddress', 'NotIpAddress'), { maxLength: 2 }),
    oneOrMany(range),
    oneOrMany(range),
  )
  .map(([Effect, actionKey, actions, resourceKey, resources, operators, first, second]) => ({
    Effect,
    [actionKey]: actions,
    [resourceKey]: resources,
    ...(operators.length === 0
      ? {}
      : {
          Condition: Object.fromEntries(
            operators.map((operator, index) => [operator, { 'acs:SourceIp': index === 0 ? first : second }]),
          ),
        }),
  }));
const policies = fc.array(
  fc.array(statement, { minLength: 1, maxLength: 3 }).map((Statement) => ({ Version: '1', Statement })),
  { maxLength: 3 },
) as fc.Arbitrary<PolicyDocument[]>;
const call: fc.Arbitrary<AccessRequest> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  resource: fc.constantFrom(...PROJECTS).map((id) => `project/${id}`),
  sourceAddress: fc.constantFrom(...ADDRESSES),
});

/** Throws at the first set that the two read differently. Gives how many calls were allowed, so that it shows that both happen. */
export function policyCampaign({ sets, seed }: { sets: number; seed: number }): { sets: number; allowed: number } {
  let allowed = 0;
  const property = fc.property(policies, fc.array(call, { minLength: 1, maxLength: 4 }), (documents, calls) => {
    const read = documents.flatMap((document) => readPolicy(JSON.stringify(document)));
    for (const request of calls) {
      const ours = isAllowed(read, request);
      assert.equal(ours, naivelyAllowed(documents, request), JSON.stringify(request));
      if (ours) allowed += 1;
    }
  });
  fc.assert(property, { numRuns: sets, seed });
  return { sets, allowed };
}
