import type { JsonObject } from '../lib/json-value.ts';

/** Where to resume: opaque to everyone but the source that made it; JSON, so that it can be stored. */
export type Offset = JsonObject;
