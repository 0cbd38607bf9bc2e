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

/** Errors: Error when the release cannot do it. */
export function checkSecurity({ tls, sasl = false }: KafkaSecurity, version: KafkaVersion): void {
  if (tls !== undefined && isBefore(version, '2.7')) throw new Error(`Kafka ${version} reads no PEM files: no TLS`);
  // The controllers of KRaft learnt it later than the ZooKeeper knew it.
  if (sasl && !isBefore(version, '3.3') && isBefore(version, '3.5'))
    throw new Error(`Kafka ${version} keeps no SCRAM users without a ZooKeeper`);
}

/** Settings of the brokers. */
export function securityProperties({ tls, sasl = false }: KafkaSecurity): Readonly<Record<string, string>> {
  return {
    ...(sasl ? saslProperties() : {}),
    ...(tls === undefined ? {} : tlsProperties(tls === 'mutual')),
  };
}

const SCRAM_MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

/** For the storage tool: the user's salted passwords, which the cluster keeps. */
export function scramUsers(): string[] {
  return SCRAM_MECHANISMS.flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${KAFKA_USER},password=${ADMIN_PASSWORD}]`,
  ]);
}

/** The same for the configuration tool, where a ZooKeeper keeps them. */
export function scramUsersInZookeeper(port: number): string[] {
  const passwords = SCRAM_MECHANISMS.map((mechanism) => `${mechanism}=[password=${ADMIN_PASSWORD}]`).join(',');
  const user = ['--alter', '--entity-type', 'users', '--entity-name', KAFKA_USER, '--add-config', passwords];
  return ['--zookeeper', `127.0.0.1:${port}`, ...user];
}

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

/** As a file of properties holds it. */
export function oneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n');
}
