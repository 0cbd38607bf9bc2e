import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, installProgram, output } from '../../scripts/servers/packages.ts';
import type { VendorClient } from './clients.ts';

const CACHE = join(import.meta.dirname, '..', '..', '.cache', 'clients');

/** What is fetched, and the program of ours that uses it. */
export type Fetchable = Pick<VendorClient, 'name' | 'language' | 'packages' | 'program'>;

/** What runs a client's program. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Fetches a client's packages with its language's own package client, once, and makes its program ready to run.
 * Errors: Error that says which tool or package cannot be had.
 */
export function fetchClient(client: Fetchable): Promise<Command> {
  switch (client.language) {
    case 'python':
      return python(client);
    case 'java':
      return java(client);
    case 'go':
      return go(client);
  }
}

async function python({ packages, program }: Fetchable): Promise<Command> {
  const python3 = await installProgram('python3', 'python3');
  const folder = await fetched(packages, async (work) => {
    if (findProgram('pip3') === undefined) await installProgram('pip3', 'python3-pip');
    const wanted = packages.map(([name, version]) => `${name}==${version}`);
    await output(python3, ['-m', 'pip', 'install', '--quiet', '--target', work, ...wanted]);
  });
  return {
    program: python3,
    args: [sourceOf('python', program)],
    env: { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' },
  };
}

async function java({ name, packages, program }: Fetchable): Promise<Command> {
  // The compiler comes with the development kit, which has the program `java` too.
  const javac = await installProgram('javac', 'default-jdk-headless');
  const libs = await fetched(packages, async (work) => {
    const mvn = await installProgram('mvn', 'maven');
    writeFileSync(join(work, 'pom.xml'), pom(packages));
    await output(mvn, ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=.', '-DincludeScope=runtime'], {
      cwd: work,
    });
  });
  const classes = join(CACHE, `${name}-classes`);
  const sources = [program, 'Life', 'Api'].map((one) => sourceOf('java', `${one}.java`));
  await output(javac, ['-cp', join(libs, '*'), '-d', classes, ...sources]);
  return {
    program: await installProgram('java', 'default-jdk-headless'),
    args: ['-cp', [classes, join(libs, '*')].join(':'), program],
    env: {},
  };
}

function pom(packages: VendorClient['packages']): string {
  const dependencies = packages.map(([name, version]) => {
    const [group, artifact] = name.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>disync</groupId><artifactId>clients</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`;
}

/** Go's modules are fetched by building: a program of its own for each client. */
async function go({ name, packages, program }: Fetchable): Promise<Command> {
  const compiler = await installProgram('go', 'golang-go');
  const work = join(CACHE, name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const file of ['life.go', 'named.go', `${program}.go`]) cpSync(sourceOf('go', file), join(work, file));
  writeFileSync(join(work, 'go.mod'), 'module disync/clients\n\ngo 1.19\n');
  await output(compiler, ['get', ...packages.map(([module, version]) => `${module}@${version}`)], { cwd: work });
  await output(compiler, ['mod', 'tidy'], { cwd: work });
  await output(compiler, ['build', '-o', 'client', '.'], { cwd: work });
  return { program: join(work, 'client'), args: [], env: {} };
}

/** A folder with what `fetch` puts into it; it appears whole, and stays for later runs. */
async function fetched(packages: VendorClient['packages'], fetch: (work: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, packages.map(([name, version]) => `${name.replace(/^.*:/, '')}-${version}`).join('+'));
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    await fetch(work);
    if (readdirSync(work).length === 0) throw new Error(`nothing was fetched for ${folder}`);
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}

function sourceOf(language: string, file: string): string {
  return join(import.meta.dirname, language, file);
}
