// npm run test:maxcompute: the protocol's suite against a service of MaxCompute, or against a double that runs. It makes
// tables of its own, which it drops, and reads and writes nothing else. Never part of `npm test`.
import { randomBytes } from 'node:crypto';
import { messageOf } from '../src/lib/errors.ts';
import { SERVICE_SUITE, SuitePlace } from '../test/support/maxcompute/service-suite.ts';

const WANTED = {
  DISYNC_MAXCOMPUTE_ENDPOINT: 'the endpoint, such as https://service.cn-shanghai.maxcompute.aliyun.com/api',
  DISYNC_MAXCOMPUTE_PROJECT: 'a project in which tables may be made',
  DISYNC_MAXCOMPUTE_ACCESS_ID: 'the id of an access key',
  DISYNC_MAXCOMPUTE_ACCESS_KEY: 'its secret',
} as const;
const OPTIONAL = {
  DISYNC_MAXCOMPUTE_SCHEMA: 'a schema, for projects that have them',
  DISYNC_MAXCOMPUTE_SECURITY_TOKEN: 'the token of a temporary key',
  DISYNC_MAXCOMPUTE_REGION: 'a region: signatures are of version 4 then',
} as const;

const missing = Object.keys(WANTED).filter((name) => (process.env[name] ?? '') === '');
if (missing.length > 0) {
  const lines = (of: Readonly<Record<string, string>>) =>
    Object.entries(of).map(([name, what]) => `  ${name}  ${what}`);
  console.error(
    `missing: ${missing.join(', ')}\nset\n${lines(WANTED).join('\n')}\nand, where needed,\n${lines(OPTIONAL).join('\n')}`,
  );
  process.exit(2);
}

const env = (name: keyof typeof WANTED | keyof typeof OPTIONAL) => process.env[name] ?? '';
const only = (name: string, value: string) => (value === '' ? {} : { [name]: value });

const place = await SuitePlace.open({
  endpoint: env('DISYNC_MAXCOMPUTE_ENDPOINT'),
  project: env('DISYNC_MAXCOMPUTE_PROJECT'),
  ...only('schema', env('DISYNC_MAXCOMPUTE_SCHEMA')),
  credential: {
    accessId: env('DISYNC_MAXCOMPUTE_ACCESS_ID'),
    accessKey: env('DISYNC_MAXCOMPUTE_ACCESS_KEY'),
    ...only('securityToken', env('DISYNC_MAXCOMPUTE_SECURITY_TOKEN')),
    ...only('region', env('DISYNC_MAXCOMPUTE_REGION')),
  },
  hosts: { private: 'allow', loopback: 'allow' },
  prefix: `disync_test_${randomBytes(4).toString('hex')}`,
});

let failed = 0;
for (const { name, run } of SERVICE_SUITE) {
  const notes: string[] = [];
  const outcome = await run(place, (text) => notes.push(text)).then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  console.log([`${outcome === null ? '✔' : '✖'} ${name}`, ...notes.map((text) => `    ${text}`)].join('\n'));
  if (outcome === null) continue;
  failed += 1;
  console.log(outcome.replace(/^/gm, '    '));
}
await place.close();
console.log(failed === 0 ? 'the suite holds' : `${failed} of ${SERVICE_SUITE.length} do not hold`);
process.exitCode = failed === 0 ? 0 : 1;
