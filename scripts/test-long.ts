// npm run test:long -- NAME [--n N] [--seed S]: campaigns that are too long for every day (test/long); each says what it takes.
import { join } from 'node:path';
import { runNamed } from './run-named.ts';

await runNamed(join(import.meta.dirname, '..', 'test', 'long'), 'npm run test:long');
