import { join } from 'node:path';
import { type KafkaSecurity, protocolOf, securityProperties } from './kafka-security.ts';

/** One broker of a cluster. */
export interface KafkaNode {
  /** From 1. */
  readonly id: number;
  readonly folder: string;
  /** For clients. */
  readonly port: number;
  /** What clients are told, such as the port of a proxy. */
  readonly advertised: number;
  /** For tools and other brokers; never secured. */
  readonly adminPort: number;
  /** For other controllers; unused where a ZooKeeper keeps the metadata. */
  readonly controllerPort: number;
}

export interface KafkaCluster {
  readonly id: string;
  readonly nodes: readonly KafkaNode[];
  /** Null: the nodes are their own controllers (KRaft). */
  readonly zookeeperPort: number | null;
  readonly security: KafkaSecurity;
}

/** One that was killed may come back once its session has ended. */
export const SESSION_MS = 2000;

/** A topic is made by who wants it; the cluster's own ones are small. */
const SMALL: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'group.initial.rebalance.delay.ms': '0',
  'log.cleaner.dedupe.buffer.size': '4194304',
  // A record has the time of its change, which tests choose: by default the broker would soon delete those of long ago.
  'log.retention.ms': '-1',
};

/** The properties of one broker. */
export function brokerProperties(cluster: KafkaCluster, node: KafkaNode): Readonly<Record<string, string>> {
  const size = cluster.nodes.length;
  return {
    ...SMALL,
    ...(cluster.zookeeperPort === null ? kraft(cluster, node) : zookeeper(cluster, node, cluster.zookeeperPort)),
    'inter.broker.listener.name': 'ADMIN',
    'advertised.listeners': listeners({ CLIENT: node.advertised, ADMIN: node.adminPort }),
    'log.dirs': dataFolder(node.folder),
    'default.replication.factor': String(size),
    'offsets.topic.replication.factor': String(size),
    'transaction.state.log.replication.factor': String(size),
    'transaction.state.log.min.isr': String(Math.ceil(size / 2)),
    ...securityProperties(cluster.security),
  };
}

export function dataFolder(folder: string): string {
  return join(folder, 'data');
}

function kraft(cluster: KafkaCluster, { id, port, adminPort, controllerPort }: KafkaNode): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': cluster.nodes.map((each) => `${each.id}@127.0.0.1:${each.controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'broker.session.timeout.ms': String(SESSION_MS),
    'broker.heartbeat.interval.ms': String(SESSION_MS / 8),
    listeners: listeners({ CLIENT: port, ADMIN: adminPort, CONTROLLER: controllerPort }),
    'listener.security.protocol.map': `CLIENT:${protocolOf(cluster.security)},ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT`,
  };
}

function zookeeper(
  cluster: KafkaCluster,
  { id, port, adminPort }: KafkaNode,
  zookeeperPort: number,
): Record<string, string> {
  return {
    'broker.id': String(id),
    'zookeeper.connect': `127.0.0.1:${zookeeperPort}`,
    'zookeeper.session.timeout.ms': String(SESSION_MS),
    listeners: listeners({ CLIENT: port, ADMIN: adminPort }),
    'listener.security.protocol.map': `CLIENT:${protocolOf(cluster.security)},ADMIN:PLAINTEXT`,
  };
}

function listeners(ports: Readonly<Record<string, number>>): string {
  return Object.entries(ports)
    .map(([name, port]) => `${name}://127.0.0.1:${port}`)
    .join(',');
}
