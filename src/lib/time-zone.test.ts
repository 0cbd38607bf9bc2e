import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTimeZone, TimeZone } from './time-zone.ts';

function seconds(text: string): number {
  return Date.parse(`${text}Z`) / 1000;
}

function instantsOf(zone: string, civils: readonly string[]): string[] {
  const clock = new TimeZone(zone);
  return civils.map((civil) => new Date(clock.toInstant(seconds(civil)) * 1000).toISOString().slice(0, 19));
}

void test('civil times are taken as the clock of a zone shows them', () => {
  assert.deepEqual(instantsOf('UTC', ['2024-02-29T12:00:00']), ['2024-02-29T12:00:00']);
  assert.deepEqual(instantsOf('+08:00', ['2024-02-29T12:00:00']), ['2024-02-29T04:00:00']);
  assert.deepEqual(instantsOf('Asia/Shanghai', ['2024-02-29T12:00:00', '1000-01-01T00:00:00', '9999-12-31T23:59:59']), [
    '2024-02-29T04:00:00',
    '0999-12-31T15:54:17', // local mean time: 8:05:43
    '9999-12-31T15:59:59',
  ]);
});

void test('what a clock shows twice is the first of both, what it leaves out comes after the gap', () => {
  assert.deepEqual(
    instantsOf('Europe/Berlin', [
      '2024-03-31T01:59:59',
      '2024-03-31T02:30:00',
      '2024-03-31T03:00:00',
      '2024-10-27T01:59:59',
      '2024-10-27T02:30:00',
      '2024-10-27T03:00:00',
    ]),
    [
      '2024-03-31T00:59:59',
      '2024-03-31T01:30:00',
      '2024-03-31T01:00:00',
      '2024-10-26T23:59:59',
      '2024-10-27T00:30:00',
      '2024-10-27T02:00:00',
    ],
  );
  // Half an hour, in the middle of an hour of UTC.
  assert.deepEqual(
    instantsOf('Australia/Lord_Howe', ['2024-04-07T01:29:59', '2024-04-07T01:30:00', '2024-04-07T02:00:00']),
    ['2024-04-06T14:29:59', '2024-04-06T14:30:00', '2024-04-06T15:30:00'],
  );
});

void test('instants are shown as the clock of a zone shows them', () => {
  const zone = new TimeZone('America/New_York');
  assert.deepEqual(
    ['2024-11-03T05:59:59', '2024-11-03T06:00:00', '1970-01-01T00:00:00'].map((text) =>
      new Date(zone.toCivil(seconds(text)) * 1000).toISOString().slice(0, 19),
    ),
    ['2024-11-03T01:59:59', '2024-11-03T01:00:00', '1969-12-31T19:00:00'],
  );
});

void test('only zones that there are', () => {
  assert.deepEqual(['UTC', 'Asia/Shanghai', '+05:30', 'Asia/Nowhere', ''].map(isTimeZone), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
