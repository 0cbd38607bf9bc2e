import assert from 'node:assert/strict';
import { test } from 'node:test';
import { policyCampaign } from '../../test/support/policy-campaign.ts';
import { isAllowed } from './policy.ts';
import { readPolicy } from './policy-reader.ts';
import { TaskError } from './task-error.ts';

const CALL = { action: 'GetDISyncTask', resource: 'project/10000', sourceAddress: '10.0.0.1' };
const policy = (...statements: readonly object[]) =>
  readPolicy(
    JSON.stringify({ Version: '1', Statement: statements.map((one) => ({ Effect: 'Allow', Resource: '*', ...one })) }),
  );

test('nothing is allowed that no statement allows', () => {
  assert.equal(isAllowed([], CALL), false);
  assert.equal(isAllowed(policy({ Action: 'dataworks:Delete*' }), CALL), false);
  assert.equal(isAllowed(policy({ Action: 'dataworks:getdisync*' }), CALL), true);
  assert.equal(isAllowed(policy({ Action: '*', Resource: 'project/1000' }), CALL), false);
  assert.equal(isAllowed(policy({ Action: '*', Resource: 'acs:dataworks:*:*:project/1000?' }), CALL), true);
});

test('what one statement denies is denied, whatever others allow and in whichever order', () => {
  const allow = { Action: '*' };
  const deny = { Effect: 'Deny', Action: 'dataworks:Get*' };
  assert.equal(isAllowed(policy(allow, deny), CALL), false);
  assert.equal(isAllowed(policy(deny, allow), CALL), false);
  assert.equal(isAllowed(policy(allow, { ...deny, Resource: 'project/1' }), CALL), true);
});

test('a condition on the source address must hold, each of several', () => {
  const from = (condition: object) => isAllowed(policy({ Action: '*', Condition: condition }), CALL);
  assert.equal(from({ IpAddress: { 'acs:SourceIp': '10.0.0.0/24' } }), true);
  assert.equal(from({ IpAddress: { 'acs:SourceIp': ['10.0.1.0/24', '::1'] } }), false);
  assert.equal(
    from({ IpAddress: { 'acs:SourceIp': '10.0.0.0/8' }, NotIpAddress: { 'acs:SourceIp': '10.0.0.1' } }),
    false,
  );
});

test('random policy sets are read as a naive evaluator reads them', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`seed ${seed}`);
  const { allowed } = policyCampaign({ sets: 2000, seed });
  assert.ok(allowed > 100);
});

const refused: [what: string, document: unknown, message: RegExp][] = [
  ['no JSON', '{', /no JSON object/],
  ['a repeated key', '{"Version":"1","Version":"1"}', /no JSON object/],
  ['another version', { Version: '2', Statement: [] }, /Version must be "1"/],
  ['no statement', { Version: '1', Statement: [] }, /Statement must be a list that is not empty/],
  ['an unknown key', { Version: '1', Statement: [{ Effekt: 'Allow' }] }, /Statement\[0\]\.Effekt is not known/],
  ['an unknown effect', { Version: '1', Statement: [{ Effect: 'allow' }] }, /Effect must be/],
  ['no action', { Version: '1', Statement: [{ Effect: 'Allow', Resource: '*' }] }, /either Action or NotAction/],
  [
    'both Action and NotAction',
    { Version: '1', Statement: [{ Effect: 'Deny', Action: '*', NotAction: '*', Resource: '*' }] },
    /either Action or NotAction/,
  ],
  [
    'an action of another service',
    { Version: '1', Statement: [{ Effect: 'Allow', Action: 'ecs:*', Resource: '*' }] },
    /an action is/,
  ],
  [
    'a resource of another service',
    { Version: '1', Statement: [{ Effect: 'Allow', Action: '*', Resource: 'acs:oss:*:*:x' }] },
    /a resource is/,
  ],
  [
    'a condition that is not known',
    { Version: '1', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition: { Bool: {} } }] },
    /Bool is not known/,
  ],
  [
    'a condition about something else',
    {
      Version: '1',
      Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition: { IpAddress: { 'acs:MFAPresent': 'x' } } }],
    },
    /must be about "acs:SourceIp"/,
  ],
  [
    'a range that is none',
    {
      Version: '1',
      Statement: [
        { Effect: 'Deny', Action: '*', Resource: '*', Condition: { IpAddress: { 'acs:SourceIp': '10.0.0.0/99' } } },
      ],
    },
    /"10\.0\.0\.0\/99" is no address/,
  ],
  ['a text that is too long', `{"Version":"1"${' '.repeat(6200)}}`, /more than 6144/],
];
for (const [what, document, message] of refused) {
  test(`a policy with ${what} is refused in words`, () => {
    const text = typeof document === 'string' ? document : JSON.stringify(document);
    assert.throws(
      () => readPolicy(text),
      (error: unknown) => error instanceof TaskError && error.code === 'Policy.Invalid' && message.test(error.message),
    );
  });
}
