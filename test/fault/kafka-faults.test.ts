import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kafkaFaultsCampaign } from '../support/kafka-faults-campaign.ts';
import { FAMILIES } from '../support/servers.ts';

void describe('readers of Kafka', () => {
  void it('miss nothing and see nothing twice, whatever breaks between them and the source, four times', async (t) => {
    const seed = Date.now() % 1_000_000;
    const family = FAMILIES[seed % 2] ?? 'mysql';
    t.diagnostic(`${family}, seed ${seed}`);
    const { findings } = await kafkaFaultsCampaign({
      family,
      brokers: 1,
      delivery: 'exactlyOnce',
      compression: 'none',
      requestTimeoutMs: 2000,
      oneTopic: false,
      faults: 4,
      outageSeconds: 0,
      seed,
      say: (line) => t.diagnostic(line),
    });
    assert.deepEqual(findings, []);
  });
});
