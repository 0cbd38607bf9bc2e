import type { AddressRanges } from '../lib/address-ranges.ts';
import { matchesWildcard } from '../lib/wildcard.ts';

/** One call, as policies see it. */
export interface AccessRequest {
  /** The operation's name, such as `GetDISyncTask`. */
  readonly action: string;
  /** What it touches, such as `project/10000`. */
  readonly resource: string;
  /** Where it comes from: an IP address. */
  readonly sourceAddress: string;
}

/** Patterns with `*` and `?`; `isNot` turns the choice around (NotAction, NotResource). */
export interface Choice {
  readonly isNot: boolean;
  readonly patterns: readonly string[];
}

/** A rule of RAM: what it allows or denies, if all of its conditions hold. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** In lower case, without the service's prefix. */
  readonly actions: Choice;
  readonly resources: Choice;
  /** Each must hold: the source address is in the ranges, or is not. */
  readonly conditions: readonly { readonly isIn: boolean; readonly ranges: AddressRanges }[];
}

export type Policy = readonly Statement[];

/** What is not allowed by any statement is denied, and what one denies is denied, whatever others say. */
export function isAllowed(statements: Policy, request: AccessRequest): boolean {
  let allowed = false;
  for (const statement of statements) {
    if (!applies(statement, request)) continue;
    if (statement.effect === 'Deny') return false;
    allowed = true;
  }
  return allowed;
}

function applies(statement: Statement, { action, resource, sourceAddress }: AccessRequest): boolean {
  return (
    isChosen(statement.actions, action.toLowerCase()) &&
    isChosen(statement.resources, resource) &&
    statement.conditions.every(({ isIn, ranges }) => ranges.contains(sourceAddress) === isIn)
  );
}

function isChosen({ isNot, patterns }: Choice, text: string): boolean {
  return patterns.some((pattern) => matchesWildcard(pattern, text)) !== isNot;
}
