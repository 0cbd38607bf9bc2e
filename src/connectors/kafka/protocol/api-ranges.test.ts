import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiRanges, FETCH, METADATA } from './api-ranges.ts';
import { releaseOf } from './release.ts';

const key = (apiKey: number, minVersion: number, maxVersion: number) => ({ apiKey, minVersion, maxVersion });

void describe('versions of requests', () => {
  void it('are what all brokers of a cluster serve', () => {
    const ranges = ApiRanges.common([
      [key(0, 3, 13), key(3, 0, 13), key(91, 0, 0)],
      [key(0, 0, 11), key(3, 0, 12)],
      [key(0, 0, 12), key(3, 4, 12), key(91, 0, 0)],
    ]);
    assert.deepEqual([ranges.most(0), ranges.most(3), ranges.most(91), ranges.most(1)], [11, 12, -1, -1]);
    assert.deepEqual(
      [2, 3, 11, 12].map((version) => ranges.serves({ key: 0, version })),
      [false, true, true, false],
    );
  });

  void it('are the newest that we speak too, and without one the broker is not served', () => {
    assert.equal(new ApiRanges([key(3, 0, 11)]).choose(METADATA).version, 9);
    assert.equal(new ApiRanges([key(1, 4, 18)]).choose(FETCH).version, 12);
    const error = { code: 'Kafka.Unsupported', kind: 'fatal' };
    assert.throws(() => new ApiRanges([key(3, 0, 6)]).choose(METADATA), error);
    assert.throws(() => new ApiRanges([]).choose(METADATA), error);
  });

  void it('tell the release', () => {
    const cases: readonly (readonly [Parameters<typeof key>[], string])[] = [
      [
        [
          [0, 0, 13],
          [1, 4, 18],
          [2, 1, 11],
        ],
        'Kafka 4.2',
      ],
      [
        [
          [0, 0, 13],
          [1, 4, 18],
          [2, 1, 10],
        ],
        'Kafka 4.1',
      ],
      [
        [
          [0, 0, 11],
          [1, 0, 17],
        ],
        'Kafka 3.9',
      ],
      [
        [
          [0, 0, 9],
          [1, 0, 13],
          [35, 0, 4],
        ],
        'Kafka 3.3',
      ],
      [
        [
          [0, 0, 8],
          [1, 0, 11],
          [48, 0, 0],
        ],
        'Kafka 2.6',
      ],
      [
        [
          [0, 0, 7],
          [1, 0, 10],
          [2, 0, 5],
        ],
        'Kafka 2.2',
      ],
      [[[0, 0, 6]], 'Kafka before 2.2'],
    ];
    for (const [keys, release] of cases)
      assert.equal(releaseOf(new ApiRanges(keys.map((one) => key(...one)))), release);
  });
});
