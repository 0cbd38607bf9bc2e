// npm run maxcompute-double [-- --port N] [--project NAME]… [--id ID] [--key KEY] [--limits] [--any-bucket]: a double of
// MaxCompute for tests of one's own (docs/maxcompute.md). It keeps what it is sent in memory, and listens on loopback only.
import { parseArgs } from 'node:util';
import { MaxComputeDouble } from '../test/support/maxcompute/double.ts';
import { DOCUMENTED_LIMITS } from '../test/support/maxcompute/limits.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    project: { type: 'string', multiple: true, default: ['double'] },
    id: { type: 'string', default: 'double' },
    key: { type: 'string', default: 'double' },
    /** As many sessions and commits as the service documents, and no more. */
    limits: { type: 'boolean', default: false },
    /** For clients that hash otherwise. */
    'any-bucket': { type: 'boolean', default: false },
  },
});

const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('--port wants a number from 0 to 65535');
  process.exit(2);
}
const double = await MaxComputeDouble.start({ accessId: values.id, accessKey: values.key }, port);
for (const project of values.project) double.catalog.addProject(project);
if (values.limits) double.tunnel.pace.limits = DOCUMENTED_LIMITS;
double.tunnel.upserts.checksBuckets = !values['any-bucket'];
console.log(`endpoint  ${double.url}/api
projects  ${values.project.join(', ')}
key       ${values.id} ${values.key}
control   ${double.url}/double/`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void double.stop());
