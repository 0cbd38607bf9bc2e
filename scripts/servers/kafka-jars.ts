import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, installProgram, output, withLock } from './packages.ts';

/** The lines that tests run against, newest first: KRaft from 3.3 on, with a ZooKeeper before. */
export const KAFKA_VERSIONS = ['4.2.0', '3.9.2', '3.3.2', '2.6.3'] as const;
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number];

/** Whether a release is older than `line`, such as `3.3`. */
export function isBefore(version: KafkaVersion, line: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [lineMajor = 0, lineMinor = 0] = line.split('.').map(Number);
  return major < lineMajor || (major === lineMajor && minor < lineMinor);
}

/** Of older releases: silent without a configuration of their own. */
const OTHER_LOGGERS = 'slf4j-reload4j,slf4j-log4j12';

/** One release as Maven Central has it, and what runs it. */
export interface KafkaJars {
  readonly version: KafkaVersion;
  readonly java: string;
  /** For `-cp`. */
  readonly classPath: string;
  /** The archive of loaded classes, which is made of them at the first start. */
  readonly classes: string;
}

/** Fetches the broker with its tools by Maven, once. Errors: Error that says what is missing or why Maven failed. */
export async function kafkaJars(version: KafkaVersion): Promise<KafkaJars> {
  const java = await installProgram('java', 'default-jre-headless');
  const folder = join(cacheFolder(), `kafka-${version}`);
  // It appears whole: no lock is needed to see that it is there.
  if (!existsSync(folder)) {
    await withLock(`kafka-${version}`, async () => {
      if (!existsSync(folder)) await fetchJars(version, folder);
    });
  }
  return { version, java, classPath: join(folder, 'libs', '*'), classes: join(folder, 'classes.jsa') };
}

async function fetchJars(version: KafkaVersion, folder: string): Promise<void> {
  const mvn = await installProgram('mvn', 'maven');
  const work = mkdtempSync(`${folder}-`);
  try {
    writeFileSync(join(work, 'pom.xml'), pom(version));
    mkdirSync(join(work, 'libs'));
    const what = ['-DoutputDirectory=libs', '-DincludeScope=runtime', `-DexcludeArtifactIds=${OTHER_LOGGERS}`];
    await output(mvn, ['-q', '-B', 'dependency:copy-dependencies', ...what], { cwd: work });
    await output('chmod', ['-R', 'a+rX', work]);
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** With a logger that writes to the standard error: without one, a broker that cannot start says nothing. */
function pom(version: string): string {
  const dependencies = [
    ['org.apache.kafka', 'kafka_2.13', version],
    ['org.apache.kafka', 'kafka-tools', version],
    ['org.slf4j', 'slf4j-simple', '1.7.36'],
  ].map(
    ([group, artifact, release]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${release}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>disync</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`;
}
