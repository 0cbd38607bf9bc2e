import assert from 'node:assert/strict';
import test from 'node:test';
import { decideCommit, type ResolvedSession, type SessionFate } from './decide-commit.ts';

const FATES: readonly SessionFate[] = ['open', 'committing', 'committed', 'lost', 'unknown'];

function sessions(kind: 'upsert' | 'upload', ...fates: readonly SessionFate[]): ResolvedSession[] {
  return fates.map((fate, index) => ({
    note: {
      kind,
      id: String(index),
      table: { database: 'd', table: 't' },
      target: { schema: '', table: 't' },
      partition: '',
      blocks: 1,
      rows: 1,
    },
    fate,
  }));
}

void test('a commit whose sessions are all committed or can be is finished', () => {
  for (const kind of ['upsert', 'upload'] as const) {
    assert.equal(decideCommit(sessions(kind, 'committed', 'committed')), 'forward');
    assert.equal(decideCommit(sessions(kind, 'open', 'committed')), 'forward');
    assert.equal(decideCommit(sessions(kind, 'open', 'open')), 'forward');
  }
});

void test('appended rows are read again only where none of them is visible', () => {
  assert.equal(decideCommit(sessions('upload', 'lost', 'open')), 'back');
  assert.equal(decideCommit(sessions('upload', 'lost', 'lost')), 'back');
  assert.equal(decideCommit(sessions('upload', 'lost', 'committed')), 'stop');
  assert.equal(decideCommit(sessions('upload', 'unknown')), 'stop');
  assert.equal(decideCommit(sessions('upload', 'unknown', 'open')), 'stop');
});

void test('upserted rows are read again whenever one session is in doubt: they end equal by key', () => {
  for (const doubt of ['lost', 'unknown'] as const)
    for (const other of FATES)
      assert.equal(decideCommit(sessions('upsert', doubt, other)), other === 'committing' ? 'wait' : 'back');
});

void test('whatever the fates: rows that are visible and appended are never read again, and lost ones never passed over', () => {
  for (const a of FATES)
    for (const b of FATES) {
      const decision = decideCommit(sessions('upload', a, b));
      const lost = [a, b].some((fate) => fate === 'lost' || fate === 'unknown');
      const visible = [a, b].some((fate) => fate === 'committed' || fate === 'unknown');
      if (decision === 'forward') assert.equal(lost, false, `${a} ${b}`);
      if (decision === 'back') assert.equal(visible, false, `${a} ${b}`);
      if (a === 'committing' || b === 'committing') assert.equal(decision, 'wait');
    }
});
