import { connect } from 'node:net';
import { join } from 'node:path';
import { javaCommand, propertiesFile, SMALL_JVM } from './kafka-java.ts';
import type { KafkaJars } from './kafka-jars.ts';
import { freePort } from './free-port.ts';
import { launch, type Server, serverFolder } from './lifecycle.ts';

/** The one that older releases of Kafka keep their metadata in, from the same jars. */
export async function startZookeeper(jars: KafkaJars): Promise<Server> {
  const folder = serverFolder('kafka');
  const port = await freePort();
  const config = propertiesFile(folder, 'zookeeper.properties', {
    dataDir: join(folder, 'data'),
    clientPort: String(port),
    clientPortAddress: '127.0.0.1',
    maxClientCnxns: '0',
    // A session lasts at least two ticks.
    tickTime: '500',
    'admin.enableServer': 'false',
  });
  return launch({
    kind: 'kafka',
    version: `ZooKeeper of Kafka ${jars.version}`,
    user: '',
    folder,
    port,
    command: [...javaCommand(jars, SMALL_JVM, 'org.apache.zookeeper.server.quorum.QuorumPeerMain'), config],
    ready: () => connects(port),
  });
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
