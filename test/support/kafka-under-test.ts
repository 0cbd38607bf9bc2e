import { type KafkaServer, startKafka } from '../../scripts/servers/kafka.ts';
import { sharedServer } from './servers.ts';

/** A running broker, as tests need it: where clients and tools find it. */
export type TestKafka = Pick<KafkaServer, 'version' | 'host' | 'port' | 'adminPort'>;

/** The broker of the whole run, else one of this test file, ended with it. Without security, and without topics of its own accord. */
export async function sharedKafka(): Promise<TestKafka> {
  const { version, host, port } = await sharedServer('kafka');
  return { version, host, port, adminPort: port };
}

/** Brokers of this test alone; the caller stops them. */
export const privateKafka = startKafka;
