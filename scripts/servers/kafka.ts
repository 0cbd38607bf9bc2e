import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { javaCommand, propertiesFile, runJava, SMALL_JVM } from './kafka-java.ts';
import { isBefore, KAFKA_VERSIONS, type KafkaJars, kafkaJars, type KafkaVersion } from './kafka-jars.ts';
import { clusterSize, waitForBrokers } from './kafka-metadata.ts';
import { brokerProperties, dataFolder, type KafkaCluster, type KafkaNode, SESSION_MS } from './kafka-properties.ts';
import { checkSecurity, KAFKA_USER, type KafkaSecurity, scramUsers, scramUsersInZookeeper } from './kafka-security.ts';
import { freePort } from './free-port.ts';
import { launch, type Server, serverFolder } from './lifecycle.ts';
import { withLock } from './packages.ts';
import { startZookeeper } from './zookeeper.ts';

export interface KafkaOptions {
  /** Default: the newest. */
  readonly version?: KafkaVersion;
  /** How many; default one. */
  readonly brokers?: number;
  /** Of every broker, such as `message.max.bytes`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly security?: KafkaSecurity;
  /** The ports that clients are told to come to, one a broker, such as those of proxies; default: the brokers' own. */
  readonly advertised?: readonly number[];
  /** Of the Java machines, in place of what starts fast and stays small. */
  readonly jvm?: readonly string[];
}

/** One of a cluster. `port` is where clients connect, `adminPort` where tools do: never secured, never behind a proxy. */
export interface KafkaBroker extends Server {
  /** As Kafka names it, from 1. */
  readonly id: number;
  readonly adminPort: number;
}

/** Brokers of our own. As a server it is its first broker's address; `kill`, `restart` and `stop` are of all. */
export interface KafkaServer extends KafkaBroker {
  readonly brokers: readonly KafkaBroker[];
}

/** A Kafka from Maven Central, on loopback. Errors: Error that says what could not be had or what the release cannot do. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const { version = KAFKA_VERSIONS[0], security = {} } = options;
  checkSecurity(security, version);
  return startCluster(await installKafka(version), options);
}

/** Fetches a release and archives its classes as the Java machine has them, which halves the time of a start. */
export async function installKafka(version: KafkaVersion = KAFKA_VERSIONS[0]): Promise<KafkaJars> {
  const jars = await kafkaJars(version);
  if (!existsSync(jars.classes)) {
    await withLock(`kafka-${version}-classes`, async () => {
      if (!existsSync(jars.classes)) await archiveClasses(jars);
    });
  }
  return jars;
}

async function archiveClasses(jars: KafkaJars): Promise<void> {
  const folder = serverFolder('kafka');
  const made = join(folder, 'classes');
  const kafka = await startCluster(jars, { jvm: [...SMALL_JVM, `-XX:ArchiveClassesAtExit=${made}`] });
  await kafka.stop();
  // It must be whole when it appears.
  copyFileSync(made, `${jars.classes}.new`);
  renameSync(`${jars.classes}.new`, jars.classes);
  rmSync(folder, { recursive: true });
}

async function startCluster(jars: KafkaJars, options: KafkaOptions): Promise<KafkaServer> {
  const { security = {} } = options;
  const zookeeper = isBefore(jars.version, '3.3') ? await startZookeeper(jars) : null;
  if (zookeeper !== null && security.sasl === true)
    await runJava(jars, 'kafka.admin.ConfigCommand', scramUsersInZookeeper(zookeeper.port));
  const cluster: KafkaCluster = {
    // As Kafka writes a UUID; one that begins with a dash would be taken for an option.
    id: `A${randomBytes(16).toString('base64url').slice(1)}`,
    nodes: await Promise.all(Array.from({ length: options.brokers ?? 1 }, (_, index) => node(index, options))),
    zookeeperPort: zookeeper?.port ?? null,
    security,
  };
  const brokers = await Promise.all(cluster.nodes.map((each) => startBroker(jars, cluster, each, options)));
  for (const { adminPort } of brokers) await waitForBrokers(adminPort, brokers.length);
  return together(brokers, zookeeper);
}

function together(brokers: readonly KafkaBroker[], zookeeper: Server | null): KafkaServer {
  const [first] = brokers;
  if (first === undefined) throw new Error('a cluster has one broker at least');
  const { kind, version, host, port, user, password, id, adminPort } = first;
  const all = async (work: (broker: KafkaBroker) => Promise<void>): Promise<void> => {
    await Promise.all(brokers.map(work));
  };
  return {
    kind,
    version,
    host,
    port,
    user,
    password,
    id,
    adminPort,
    brokers,
    get pid() {
      return first.pid;
    },
    stop: async () => {
      // In good order the last would wait for a majority that is gone.
      if (brokers.length > 1) await all((broker) => broker.kill());
      await all((broker) => broker.stop());
      await zookeeper?.stop();
    },
    kill: () => all((broker) => broker.kill()),
    restart: () => all((broker) => broker.restart()),
    log: () => brokers.map((broker) => broker.log()).join(''),
  };
}

async function node(index: number, { advertised }: KafkaOptions): Promise<KafkaNode> {
  const [port, adminPort, controllerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const folder = serverFolder('kafka');
  return { id: index + 1, folder, port, advertised: advertised?.[index] ?? port, adminPort, controllerPort };
}

async function startBroker(
  jars: KafkaJars,
  cluster: KafkaCluster,
  self: KafkaNode,
  { properties, jvm = SMALL_JVM }: KafkaOptions,
): Promise<KafkaBroker> {
  const { id, folder, port, adminPort } = self;
  const config = propertiesFile(folder, 'server.properties', { ...brokerProperties(cluster, self), ...properties });
  if (cluster.zookeeperPort === null) {
    const users = cluster.security.sasl === true ? scramUsers() : [];
    await runJava(jars, 'kafka.tools.StorageTool', ['format', '-t', cluster.id, '-c', config, ...users]);
  }
  const server = await launch({
    kind: 'kafka',
    version: `Kafka ${jars.version}`,
    user: KAFKA_USER,
    folder,
    port,
    command: [...javaCommand(jars, jvm, 'kafka.Kafka'), config],
    ready: () => knowsItsTopics(self),
    // A ZooKeeper knows a killed broker until its session ends, and lets none of the same number in before.
    ...(cluster.zookeeperPort === null ? {} : { restartAfterMs: 2 * SESSION_MS }),
  });
  return Object.assign(server, { id, adminPort });
}

/** A broker beside a ZooKeeper answers before it has heard what there is. Errors: Error until it has. */
async function knowsItsTopics({ folder, adminPort }: KafkaNode): Promise<void> {
  const { brokers, topics } = await clusterSize(adminPort);
  if (brokers === 0 || topics < topicsIn(dataFolder(folder))) throw new Error('it has not heard of its cluster yet');
}

/** A partition's folder is `topic-number`, with a suffix while it is deleted. The controllers' own log is shown to nobody. */
function topicsIn(folder: string): number {
  const folders = existsSync(folder) ? readdirSync(folder) : [];
  const topics = new Set(folders.flatMap((name) => /^(.+)-\d+$/.exec(name)?.[1] ?? []));
  topics.delete('__cluster_metadata');
  return topics.size;
}
