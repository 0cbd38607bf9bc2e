import { after, before, test } from 'node:test';
import { DEFAULT_HOST_POLICY } from '../../../src/lib/host-policy.ts';
import { MaxComputeDouble } from './double.ts';
import { SERVICE_SUITE, SuitePlace } from './service-suite.ts';

const credential = { accessId: 'id', accessKey: 'key' };
const hosts = DEFAULT_HOST_POLICY;

for (const schema of [undefined, 's']) {
  let double: MaxComputeDouble;
  let place: SuitePlace;

  before(async () => {
    double = await MaxComputeDouble.start(credential);
    double.catalog.addProject('p');
    if (schema !== undefined) double.catalog.addSchema('p', schema);
    const where = { endpoint: `${double.url}/api`, project: 'p', ...(schema === undefined ? {} : { schema }) };
    place = await SuitePlace.open({ ...where, credential, hosts, retryFirstMs: 1, prefix: 'suite' });
  });

  after(async () => {
    await place.close();
    await double.stop();
  });

  for (const { name, run } of SERVICE_SUITE)
    void test(`the double, ${schema === undefined ? 'two names' : 'three names'}: ${name}`, (t) =>
      run(place, (text) => t.diagnostic(text)));
}
