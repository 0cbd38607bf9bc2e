import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KafkaJars } from './kafka-jars.ts';
import { own, serverUser } from './lifecycle.ts';
import { output } from './packages.ts';

/** Small, and quick to start; the second compiler takes longer than most tests run. */
export const SMALL_JVM: readonly string[] = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** How to run a class of the release; its arguments follow. */
export function javaCommand(jars: KafkaJars, jvm: readonly string[], mainClass: string): [string, ...string[]] {
  const quiet = ['-XX:-UsePerfData', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  // Ignored when this machine's Java is another; the archive is not there yet when it is made.
  const classes = existsSync(jars.classes) ? [`-XX:SharedArchiveFile=${jars.classes}`] : [];
  return [jars.java, ...quiet, ...classes, ...jvm, '-cp', jars.classPath, mainClass];
}

/** Runs a class of the release to its end, as the user that servers run as, and gives what it said. Errors: Error with it. */
export async function runJava(jars: KafkaJars, mainClass: string, args: readonly string[]): Promise<string> {
  const [java, ...before] = javaCommand(jars, SMALL_JVM, mainClass);
  return output(java, [...before, ...args], serverUser);
}

/** Writes a file of properties that the server may read, and gives its path. */
export function propertiesFile(folder: string, name: string, properties: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  own(path);
  return path;
}
