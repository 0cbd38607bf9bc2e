import { KAFKA_CERTIFICATES } from './kafka-certificates.ts';
import { isBefore, type KafkaVersion } from './kafka-jars.ts';
import { ADMIN_PASSWORD } from './lifecycle.ts';

/** What clients must do at the port for clients; TLS with the authority of kafka-certificates.ts. */
export interface KafkaSecurity {
  /** `mutual`: clients show a certificate, too. */
  readonly tls?: 'server' | 'mutual';
  /** By one of `mechanisms`, as `KAFKA_USER`. */
  readonly sasl?: boolean;
}

export const KAFKA_USER = 'disync';

/** As configurations of clients name it. */
export type KafkaProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

export function protocolOf({ tls, sasl = false }: KafkaSecurity): KafkaProtocol {
  if (sasl) return tls === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL';
  return tls === undefined ? 'PLAINTEXT' : 'SSL';
}

/** Settings of the brokers. Errors: Error when the release cannot do it. */
export function securityProperties(
  { tls, sasl = false }: KafkaSecurity,
  version: KafkaVersion,
): Readonly<Record<string, string>> {
  if (tls !== undefined && isBefore(version, '2.7')) throw new Error(`Kafka ${version} reads no PEM files: no TLS`);
  return {
    ...(sasl ? saslProperties() : {}),
    ...(tls === undefined ? {} : tlsProperties(tls === 'mutual')),
  };
}

/** Their salted passwords are in the cluster, as `addScramUsers` puts them there. */
export const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

function saslProperties(): Record<string, string> {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    'listener.name.client.sasl.enabled.mechanisms': ['PLAIN', ...SCRAM_MECHANISMS].join(','),
    'listener.name.client.plain.sasl.jaas.config': `${plain} required user_${KAFKA_USER}="${ADMIN_PASSWORD}";`,
    ...Object.fromEntries(
      SCRAM_MECHANISMS.map((mechanism) => [
        `listener.name.client.${mechanism.toLowerCase()}.sasl.jaas.config`,
        `${scram} required;`,
      ]),
    ),
  };
}

function tlsProperties(mutual: boolean): Record<string, string> {
  const { authority, broker } = KAFKA_CERTIFICATES;
  return {
    'listener.name.client.ssl.keystore.type': 'PEM',
    'listener.name.client.ssl.keystore.certificate.chain': oneLine(broker.cert),
    'listener.name.client.ssl.keystore.key': oneLine(broker.key),
    ...(mutual
      ? {
          'listener.name.client.ssl.client.auth': 'required',
          'listener.name.client.ssl.truststore.type': 'PEM',
          'listener.name.client.ssl.truststore.certificates': oneLine(authority),
        }
      : {}),
  };
}

function oneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n');
}
