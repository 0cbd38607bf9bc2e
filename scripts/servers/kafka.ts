import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KAFKA_VERSIONS, type KafkaJars, kafkaJars, type KafkaVersion } from './kafka-jars.ts';
import { countBrokers } from './kafka-metadata.ts';
import { freePort, launch, own, type Server, serverFolder, serverUser } from './lifecycle.ts';
import { output, withLock } from './packages.ts';

export interface KafkaOptions {
  /** Default: the newest. */
  readonly version?: KafkaVersion;
  /** Of the broker, such as `message.max.bytes`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** The port that clients are told to come to, such as that of a proxy; default: the broker's own. */
  readonly advertised?: number;
  /** Of the Java machine, in place of what starts fast and stays small. */
  readonly jvm?: readonly string[];
}

/** A broker of our own. `port` is where clients connect, `adminPort` where tools do: never secured, never behind a proxy. */
export interface KafkaServer extends Server {
  readonly jars: KafkaJars;
  readonly adminPort: number;
}

const NEWEST = KAFKA_VERSIONS[0];

/** Small, and quick to start; the second compiler takes longer than most tests run. */
const SMALL_JVM = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** A topic is made by who wants it; the cluster's own ones are small. */
const PROPERTIES: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'offsets.topic.num.partitions': '3',
  'transaction.state.log.num.partitions': '3',
  'group.initial.rebalance.delay.ms': '0',
  // One that was killed may come back once its session has ended.
  'broker.session.timeout.ms': '2000',
  'broker.heartbeat.interval.ms': '300',
  'log.cleaner.dedupe.buffer.size': '4194304',
};

/** A Kafka from Maven Central, on loopback. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  return startBroker(await installKafka(options.version), options);
}

/** Fetches a release and archives its classes as the Java machine has them, which halves the time of a start. */
export async function installKafka(version: KafkaVersion = NEWEST): Promise<KafkaJars> {
  const jars = await kafkaJars(version);
  await withLock(`kafka-${version}-classes`, async () => {
    if (existsSync(jars.classes)) return;
    const folder = serverFolder('kafka');
    const made = join(folder, 'classes');
    const broker = await startBroker(jars, { jvm: [...SMALL_JVM, `-XX:ArchiveClassesAtExit=${made}`] });
    await broker.stop();
    // It must be whole when it appears.
    copyFileSync(made, `${jars.classes}.new`);
    renameSync(`${jars.classes}.new`, jars.classes);
    rmSync(folder, { recursive: true });
  });
  return jars;
}

async function startBroker(jars: KafkaJars, options: KafkaOptions): Promise<KafkaServer> {
  const folder = serverFolder('kafka');
  const [port, adminPort, controllerPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const config = propertiesFile(folder, {
    ...PROPERTIES,
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'ADMIN',
    listeners: listeners({ CLIENT: port, ADMIN: adminPort, CONTROLLER: controllerPort }),
    'advertised.listeners': listeners({ CLIENT: options.advertised ?? port, ADMIN: adminPort }),
    'listener.security.protocol.map': 'CLIENT:PLAINTEXT,ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    ...options.properties,
  });
  const [java, ...format] = javaCommand(jars, SMALL_JVM, 'kafka.tools.StorageTool');
  await output(java, [...format, 'format', '-t', clusterId(), '-c', config], { cwd: folder, ...serverUser });
  const server = await launch({
    kind: 'kafka',
    version: `Kafka ${jars.version}`,
    user: '',
    folder,
    port,
    command: [...javaCommand(jars, options.jvm ?? SMALL_JVM, 'kafka.Kafka'), config],
    ready: async () => {
      await countBrokers(adminPort);
    },
  });
  return Object.assign(server, { jars, adminPort });
}

/** How to run a class of the release; its arguments follow. */
export function javaCommand(jars: KafkaJars, jvm: readonly string[], mainClass: string): [string, ...string[]] {
  const quiet = ['-XX:-UsePerfData', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  // Ignored when this machine's Java is another; the archive is not there yet when it is made.
  const classes = existsSync(jars.classes) ? [`-XX:SharedArchiveFile=${jars.classes}`] : [];
  return [jars.java, ...quiet, ...classes, ...jvm, '-cp', jars.classPath, mainClass];
}

function listeners(ports: Readonly<Record<string, number>>): string {
  return Object.entries(ports)
    .map(([name, port]) => `${name}://127.0.0.1:${port}`)
    .join(',');
}

function propertiesFile(folder: string, properties: Readonly<Record<string, string>>): string {
  const path = join(folder, 'server.properties');
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  own(path);
  return path;
}

/** As Kafka writes a UUID. */
function clusterId(): string {
  return randomBytes(16).toString('base64url');
}
