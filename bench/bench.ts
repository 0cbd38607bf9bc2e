// npm run bench -- NAME: measures, and prints as its last line {"bench":NAME,"figures":{…},"targets":{…}}.
import { runNamed } from '../scripts/run-named.ts';

await runNamed(import.meta.dirname, 'npm run bench');
