// npm run test:clients [-- --only NAME] [--allow-missing]: the vendor's own Python, Java and Go clients, unmodified, live a
// task's whole life against the running service. The outcome is written into docs/clients.md.
import { CLIENTS, type VendorClient } from '../test/clients/clients.ts';
import { type Command, fetchClient } from '../test/clients/fetch.ts';
import { type Cloud, live } from '../test/clients/life.ts';
import { type Outcome, recordOutcomes } from '../test/clients/record.ts';
import { Service } from '../test/support/service.ts';

const [PROJECT, FOREIGN_PROJECT] = [71, 72];

const args = process.argv.slice(2);
const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : '';
const chosen = CLIENTS.filter(({ name }) => name.includes(only));
if (chosen.length === 0) {
  console.error(`no client has ${only} in its name: ${CLIENTS.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const cloud = await openCloud();
const outcomes: Outcome[] = [];
for (const client of chosen) outcomes.push({ client, result: await run(client) });
await cloud.service.dispose();
recordOutcomes(outcomes, CLIENTS, new Date().toISOString().slice(0, 10));
console.log(outcomes.map(({ client, result }) => `${client.name}: ${result}`).join('\n'));
process.exitCode = outcomes.some(({ result }) => isBad(result)) ? 1 : 0;

/** Signatures are checked: a project and its key are made as an operator makes them. */
async function openCloud(): Promise<Cloud> {
  const service = new Service({ dev: false });
  const key = await service.makeProject(PROJECT);
  await service.makeProject(FOREIGN_PROJECT);
  await service.restart();
  return { service, project: PROJECT, foreignProject: FOREIGN_PROJECT, key };
}

async function run(client: VendorClient): Promise<Outcome['result']> {
  console.log(
    `${client.name}: ${client.packages.map((one) => one.join(' ')).join(', ')}, signature ${client.signature}`,
  );
  let command: Command;
  try {
    command = await fetchClient(client);
  } catch (error) {
    console.error(`${client.name} IS NOT RUN: ${(error as Error).message}`);
    return 'not run';
  }
  try {
    await live(command, cloud);
    return 'passed';
  } catch (error) {
    console.error(`${client.name} FAILED: ${(error as Error).message}`);
    return 'failed';
  }
}

function isBad(result: Outcome['result']): boolean {
  return result === 'failed' || (result === 'not run' && !args.includes('--allow-missing'));
}
