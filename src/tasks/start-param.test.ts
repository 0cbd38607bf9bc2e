import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_DDL_POLICIES } from '../pipeline/policies.ts';
import { readStartParam } from './start-param.ts';
import { TaskError } from './task-error.ts';

const DEFAULTS = {
  policies: { ddl: DEFAULT_DDL_POLICIES, errorLimit: 0, failover: { count: 100, intervalMinutes: 5 } },
  start: null,
};

void test('without a StartParam, or with an empty one, everything is the default', () => {
  for (const text of [
    null,
    '',
    '  ',
    '{}',
    '{"errorLimit":{},"failoverLimit":{},"ddlMarkMap":{}}',
    '{"errorLimit":null}',
  ])
    assert.deepEqual(readStartParam(text), DEFAULTS);
});

void test('every setting is read, numbers also as texts, kinds and policies in any case', () => {
  const param = {
    failoverLimit: { count: '10', interval: 30 },
    errorLimit: { record: '500' },
    ddlMarkMap: { ADDCOLUMN: 'critical', dropcolumn: 'IGNORE' },
    startTime: 1_700_000_000,
  };
  assert.deepEqual(readStartParam(JSON.stringify(param)), {
    policies: {
      ddl: { ...DEFAULT_DDL_POLICIES, ADDCOLUMN: 'CRITICAL', DROPCOLUMN: 'IGNORE' },
      errorLimit: 500,
      failover: { count: 10, intervalMinutes: 30 },
    },
    start: { kind: 'time', seconds: 1_700_000_000 },
  });
});

void test('reading begins at a time, at a place of the log, or behind transactions; an empty one is none', () => {
  const start = (param: unknown) => readStartParam(JSON.stringify(param)).start;
  assert.deepEqual(
    [
      start({ startTime: '1700000000', startPosition: null }),
      start({ startPosition: { file: 'mysql-bin.1000000', position: '5000000000' }, startTime: '' }),
      start({ startPosition: { file: 'binlog.000001' } }),
      start({ startGtid: '0-1-100, 1-2-5' }),
      start({ startGtid: '3E11FA47-71ca-11e1-9e33-c80aa9429562:1-5:7:tag:1,\n3e11fa47-71ca-11e1-9e33-c80aa9429563:9' }),
      start({ startTime: '' }),
    ],
    [
      { kind: 'time', seconds: 1_700_000_000 },
      { kind: 'position', file: 'mysql-bin.1000000', position: 5_000_000_000 },
      { kind: 'position', file: 'binlog.000001', position: 4 },
      { kind: 'gtids', gtids: '0-1-100,1-2-5' },
      {
        kind: 'gtids',
        gtids: '3E11FA47-71ca-11e1-9e33-c80aa9429562:1-5:7:tag:1,3e11fa47-71ca-11e1-9e33-c80aa9429563:9',
      },
      null,
    ],
  );
});

void test('an empty limit of dirty rows is no limit, and one of 0 allows none', () => {
  const limit = (record: unknown) => readStartParam(JSON.stringify({ errorLimit: { record } })).policies.errorLimit;
  assert.deepEqual([limit(''), limit(0), limit('0'), limit(null)], [null, 0, 0, 0]);
});

void test('what cannot be used is refused by its name', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{', /^StartParam is not a JSON object/],
    ['[]', /^StartParam is not a JSON object/],
    ['{"failoverLimit":5}', /^StartParam\.failoverLimit must be an object/],
    ['{"failoverLimit":{"count":-1}}', /^StartParam\.failoverLimit\.count must be a whole number/],
    ['{"failoverLimit":{"interval":1.5}}', /^StartParam\.failoverLimit\.interval must be a whole number/],
    ['{"errorLimit":"5"}', /^StartParam\.errorLimit must be an object/],
    ['{"errorLimit":{"record":"many"}}', /^StartParam\.errorLimit\.record must be a whole number/],
    ['{"errorLimit":{"record":12345678901234567890}}', /^StartParam\.errorLimit\.record must be a whole number/],
    ['{"ddlMarkMap":[]}', /^StartParam\.ddlMarkMap must be an object/],
    ['{"ddlMarkMap":{"EXPLODE":"NORMAL"}}', /^StartParam\.ddlMarkMap: EXPLODE is unknown; the kinds are CREATETABLE/],
    ['{"ddlMarkMap":{"ADDCOLUMN":"MAYBE"}}', /^StartParam\.ddlMarkMap\.ADDCOLUMN must be one of NORMAL/],
    ['{"ddlMarkMap":{"ADDCOLUMN":{}}}', /^StartParam\.ddlMarkMap\.ADDCOLUMN must be one of NORMAL/],
    ['{"ddlMarkMap":{"ADDCOLUMN":{"toString":0}}}', /^StartParam\.ddlMarkMap\.ADDCOLUMN must be one of NORMAL/],
    ['{"startTime":"yesterday"}', /^StartParam\.startTime must be a whole number/],
    ['{"startTime":1700000000000}', /^StartParam\.startTime must be in seconds since the epoch/],
    ['{"startPosition":"binlog.000001:4"}', /^StartParam\.startPosition must be an object: \{ "file"/],
    ['{"startPosition":{"position":4}}', /^StartParam\.startPosition\.file must be the name of a log file/],
    ['{"startPosition":{"file":"binlog"}}', /^StartParam\.startPosition\.file must be the name of a log file/],
    ['{"startPosition":{"file":"../a.1"}}', /^StartParam\.startPosition\.file must be the name of a log file/],
    ['{"startPosition":{"file":"b.1","position":3}}', /^StartParam\.startPosition\.position must be 4 or more/],
    ['{"startPosition":{"file":"b.1","position":"x"}}', /^StartParam\.startPosition\.position must be a whole/],
    [
      '{"startTime":1,"startPosition":{"file":"b.1"}}',
      /^StartParam takes one of startTime, startPosition, startGtid, not/,
    ],
    ['{"startGtid":7}', /^StartParam\.startGtid must be a set of MySQL/],
    ['{"startGtid":"0-1"}', /^StartParam\.startGtid must be a set of MySQL/],
    ['{"startGtid":"0-1-2,3e11fa47-71ca-11e1-9e33-c80aa9429562:1"}', /^StartParam\.startGtid must be a set of MySQL/],
    ['{"startGtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562"}', /^StartParam\.startGtid must be a set of MySQL/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => readStartParam(text),
      (error: unknown) => error instanceof TaskError && error.kind === 'invalid' && message.test(error.message),
      text,
    );
  }
});
