// Writes docs/api-coverage.md from the catalogue of operations.
import { writeFileSync } from 'node:fs';
import { operations } from '../src/api/catalogue.ts';
import { renderCoverage } from '../src/api/coverage.ts';

writeFileSync(new URL('../docs/api-coverage.md', import.meta.url), renderCoverage(operations));
