import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHaveBeenDone, retryRuleOf } from './retry-rule.ts';
import { readErrorReply } from './service-error.ts';
import { escapeXml, tagText } from './xml.ts';

const facts = ({ status, code, requestId, holdMs, message }: ReturnType<typeof readErrorReply>) => ({
  status,
  code,
  requestId,
  holdMs,
  message,
});

void test("the tunnel's JSON and the service's XML say the same of an error", () => {
  assert.deepEqual(
    facts(readErrorReply(404, { 'x-odps-request-id': 'r1' }, '{"Code":"NoSuchPartition","Message":"no pt"}')),
    {
      status: 404,
      code: 'NoSuchPartition',
      requestId: 'r1',
      holdMs: 0,
      message: 'NoSuchPartition: no pt (request r1)',
    },
  );
  const xml =
    '<?xml version="1.0"?>\n<Error><Code>NoSuchObject</Code><Message><![CDATA[ODPS-0130131: <t>]]></Message><RequestId>r2</RequestId><HostId>h</HostId></Error>';
  assert.deepEqual(facts(readErrorReply(404, {}, xml)), {
    status: 404,
    code: 'NoSuchObject',
    requestId: 'r2',
    holdMs: 0,
    message: 'NoSuchObject: ODPS-0130131: <t> (request r2)',
  });
});

void test('a reply of neither kind is known by its status', () => {
  const message = 'HTTP 502: the service gave no reason';
  for (const body of ['', '<html>Bad Gateway</html>', '{"Code":', '{}'])
    assert.deepEqual(facts(readErrorReply(502, {}, body)), {
      status: 502,
      code: 'HTTP 502',
      requestId: '',
      holdMs: 0,
      message,
    });
});

void test('the wait that the service asks for is kept, but not beyond ten seconds', () => {
  const hold = (ms: number) => readErrorReply(429, {}, `{"Code":"FlowExceeded","HoldClientMillis":${ms}}`).holdMs;
  assert.deepEqual([hold(250), hold(60_000), hold(-5)], [250, 10_000, 0]);
  const retryAfter = (value: string) => readErrorReply(409, { 'retry-after': value }, '').holdMs;
  assert.deepEqual([retryAfter('3'), retryAfter('600'), retryAfter('tomorrow')], [3000, 10_000, 0]);
});

void test('every family of errors has its rule', () => {
  const rule = (status: number, code: string) =>
    retryRuleOf(readErrorReply(status, {}, JSON.stringify({ Code: code })));
  const kinds = (codes: readonly string[]) => [...new Set(codes.map((code) => rule(400, code).kind))];
  assert.deepEqual(kinds(['FlowExceeded', 'SlotExceeded', 'QPSExceeded']), ['throttled']);
  assert.deepEqual(
    kinds([
      'TableModified',
      'DataVersionConflict',
      'DataUnderReplication',
      'MetaTransactionAborted',
      'MetaTransactionFailed',
    ]),
    ['concurrent'],
  );
  assert.deepEqual(kinds(['StreamSessionNotFound', 'UpsertSessionNotFound']), ['gone']);
  assert.deepEqual(kinds(['CorruptedDataStream', 'IncompleteBody']), ['fault']);
  assert.deepEqual(
    kinds(['NoSuchTable', 'NoPermission', 'InvalidBlockID', 'InConsistentBlockList', 'MalformedDataStream']),
    ['caller'],
  );
  assert.deepEqual(
    [
      rule(308, ''),
      rule(429, 'Anything'),
      rule(412, 'SchemaModified'),
      rule(404, 'NoSuchSchema'),
      rule(409, 'StatusConflict'),
    ],
    [{ kind: 'moved' }, { kind: 'throttled' }, { kind: 'schema' }, { kind: 'notYet' }, { kind: 'state' }],
  );
  assert.deepEqual(
    [rule(500, ''), rule(502, ''), rule(504, ''), retryRuleOf(new Error('socket hang up'))],
    [
      { kind: 'fault', reload: false },
      { kind: 'fault', reload: true },
      { kind: 'fault', reload: true },
      { kind: 'fault', reload: false },
    ],
  );
});

void test('the text of an element is read as it was before it was escaped', () => {
  const text = 'a < b && "c" > \'d\'';
  assert.equal(tagText(`<Project><Name kind="x">${escapeXml(text)}</Name><Names/></Project>`, 'Name'), text);
  assert.equal(tagText('<A>&#20013;&#x6587;&quot;&apos;</A>', 'A'), '中文"\'');
  assert.equal(tagText('<Marker/>', 'Marker'), '');
  assert.equal(tagText('<Table/>', 'Marker'), null);
});

void test('what was refused or never sent was not done; what broke off may have been', () => {
  const broken = (code: string) => Object.assign(new Error(code), { code });
  const refused = (status: number) => readErrorReply(status, {}, '');
  assert.deepEqual(
    [broken('ECONNREFUSED'), broken('ENOTFOUND'), refused(429), refused(308), refused(404)].map(mayHaveBeenDone),
    [false, false, false, false, false],
  );
  assert.deepEqual([broken('ECONNRESET'), new Error('cut'), refused(502)].map(mayHaveBeenDone), [true, true, true]);
});
