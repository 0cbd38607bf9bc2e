import { randomBytes } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import { parseJsonObject, stringifyJson } from '../lib/json.ts';
import type { Seal } from '../lib/seal.ts';
import type { TemporaryKey, TokenRefusal } from '../tasks/access-service.ts';
import { TaskError } from '../tasks/task-error.ts';

const LIFETIME_MIN_MS = 60_000;
const LIFETIME_MAX_MS = 12 * 3_600_000;
const BELONGS_TO = 'security token';

/** What is sealed in a token. */
export interface TokenContent {
  readonly user: string;
  /** Tells the user from another of the same name. */
  readonly userCreatedAt: number;
  /** A policy's JSON text, or null. */
  readonly policy: string | null;
}

interface SealedToken extends TokenContent {
  readonly id: string;
  readonly secret: string;
  readonly expiresAt: number;
}

/**
 * Temporary credentials that need no place in the store: all that is to be known of them is in the security token,
 * sealed, and comes back with every call.
 */
export class SecurityTokens {
  readonly #seal: Seal;
  readonly #clock: Clock;

  constructor(seal: Seal, clock: Clock) {
    this.#seal = seal;
    this.#clock = clock;
  }

  /** Errors: TaskError `invalid` for a lifetime under a minute or over 12 hours. */
  issue(content: TokenContent, lifetimeMs: number): TemporaryKey {
    if (!(lifetimeMs >= LIFETIME_MIN_MS && lifetimeMs <= LIFETIME_MAX_MS))
      throw new TaskError('invalid', 'Token.Lifetime', 'temporary credentials live from 1 to 720 minutes');
    const id = `STS.${randomBytes(12).toString('base64url').replaceAll(/[-_]/g, 'x')}`;
    const secret = randomBytes(24).toString('base64url');
    const expiresAt = this.#clock.now() + lifetimeMs;
    const token: SealedToken = { ...content, id, secret, expiresAt };
    const sealed = this.#seal.close(stringifyJson({ ...token }), BELONGS_TO);
    return { id, secret, securityToken: sealed.toString('base64'), expiresAt };
  }

  open(keyId: string, securityToken: string): SealedToken | TokenRefusal {
    const content = this.#read(securityToken);
    if (content === null) return 'malformed';
    if (content.id !== keyId) return 'mismatch';
    return this.#clock.now() >= content.expiresAt ? 'expired' : content;
  }

  #read(securityToken: string): SealedToken | null {
    try {
      const text = this.#seal.open(Buffer.from(securityToken, 'base64'), BELONGS_TO);
      // It opens with our key, so it was written above.
      return parseJsonObject(text) as unknown as SealedToken;
    } catch {
      return null;
    }
  }
}
