import { isJsonObject } from '../lib/json.ts';
import type { Json } from '../lib/json-value.ts';
import { DDL_KINDS, DDL_POLICIES, type DdlKind, type DdlPolicies, type DdlPolicy } from '../pipeline/policies.ts';
import { invalid } from './script-reader.ts';

/** Reads policies by kind, in any case; kinds may be left out. Errors: TaskError `invalid` naming the key under `where`. */
export function readDdlPolicies(value: Json, where: string): Partial<DdlPolicies> {
  if (!isJsonObject(value)) throw invalid(`${where} must be an object of kinds and policies`);
  const policies: Partial<Record<DdlKind, DdlPolicy>> = {};
  for (const [key, given] of Object.entries(value)) {
    const kind = DDL_KINDS.find((known) => known === key.toUpperCase());
    const policy = typeof given === 'string' ? DDL_POLICIES.find((known) => known === given.toUpperCase()) : undefined;
    if (kind === undefined) throw invalid(`${where}: ${key} is unknown; the kinds are ${DDL_KINDS.join(', ')}`);
    if (policy === undefined) throw invalid(`${where}.${key} must be one of ${DDL_POLICIES.join(', ')}`);
    policies[kind] = policy;
  }
  return policies;
}
