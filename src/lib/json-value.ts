/** A value that JSON can hold. Integers beyond 2^53 are `bigint` (see json.ts). */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
