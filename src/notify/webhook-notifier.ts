import type { HostPolicy } from '../lib/host-policy.ts';
import { isJsonObject, parseJson, stringifyJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { Logger } from '../lib/log.ts';
import { BackOff, pause } from '../lib/retry.ts';
import { type AlarmReceivers, maskReceiver, type ReceiverType } from '../tasks/alarm-rule.ts';
import type { AlarmRuleId } from '../tasks/ids.ts';
import type { AlarmNotification, Notifier } from '../tasks/notifier.ts';
import { dingPayload, webhookPayload } from './payload.ts';
import { postJson } from './post-json.ts';

const TRIES = 4;
const TRY_MS = 10_000;
const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 30_000;
/** Deliveries on their way, waiting for their next try included; more are given up. */
const UNDERWAY_MAX = 200;

export interface WebhookNotifierOptions {
  readonly hosts: HostPolicy;
  /** Where tokens of robots go: they are added as `access_token`. Null: those cannot be told. */
  readonly dingRobotUrl: string | null;
  readonly log: Logger;
  /** The wait before the second try; a second when it is not given. */
  readonly firstWaitMs?: number;
  /** How long one try may take; 10 s when it is not given. */
  readonly tryMs?: number;
}

/** What came of one try: null when it worked. */
type Trouble = { readonly why: string; readonly passes: boolean } | null;

/** Tells webhooks and robots of DingTalk. What it logs never holds a URL or a token (I7). */
export class WebhookNotifier implements Notifier {
  readonly #options: WebhookNotifierOptions;
  readonly #over = new AbortController();
  /** Rules whose mails and the like were said to be lost. */
  readonly #warned = new Set<AlarmRuleId>();
  #underway = 0;

  constructor(options: WebhookNotifierOptions) {
    this.#options = options;
  }

  notify(notification: AlarmNotification, receivers: readonly AlarmReceivers[]): void {
    for (const { type, values } of receivers) {
      if (type === 'AliyunUid') this.#warnUndelivered(notification.rule);
      else for (const value of values) void this.#deliver(notification, type, value);
    }
  }

  close(): void {
    this.#over.abort();
  }

  #warnUndelivered(rule: AlarmRuleId): void {
    if (this.#warned.has(rule)) return;
    this.#warned.add(rule);
    this.#options.log.warn({ rule }, 'Mail, Phone and Sms are not delivered: give the alarm rule a webhook or a robot');
  }

  async #deliver(notification: AlarmNotification, type: ReceiverType, value: string): Promise<void> {
    const facts = { rule: notification.rule, task: notification.task, type, receiver: maskReceiver(type, value) };
    const { log } = this.#options;
    const url = type === 'DingToken' ? robotUrl(value, this.#options.dingRobotUrl) : new URL(value);
    if (url === null)
      return log.warn(facts, 'an alarm was not delivered: tokens of robots need the setting dingRobotUrl');
    if (this.#underway >= UNDERWAY_MAX)
      return log.error(facts, 'an alarm was not delivered: too many are on their way');
    this.#underway += 1;
    try {
      const body = stringifyJson(type === 'DingToken' ? dingPayload(notification) : webhookPayload(notification));
      const trouble = await this.#try(url, body, type);
      if (trouble === null) log.info(facts, 'an alarm was delivered');
      else if (!this.#over.signal.aborted) log.error({ ...facts, why: trouble.why }, 'an alarm was not delivered');
    } finally {
      this.#underway -= 1;
    }
  }

  async #try(url: URL, body: string, type: ReceiverType): Promise<Trouble> {
    const { signal } = this.#over;
    const backOff = new BackOff(this.#options.firstWaitMs ?? FIRST_WAIT_MS, MOST_WAIT_MS);
    for (let tries = 1; ; tries++) {
      const trouble = await this.#once(url, body, type);
      if (trouble === null || !trouble.passes || tries === TRIES || signal.aborted) return trouble;
      await pause(backOff.next(), signal);
    }
  }

  async #once(url: URL, body: string, type: ReceiverType): Promise<Trouble> {
    const { hosts, tryMs = TRY_MS } = this.#options;
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(tryMs)]);
    try {
      return troubleOf(await postJson(url, body, { hosts, signal }), type);
    } catch (error) {
      // Messages of the system hold the host, and that is the receiver's secret too.
      const { code, name } = error as { code?: unknown; name?: unknown };
      const why = typeof code === 'string' ? code : String(name);
      return { why, passes: why !== 'Network.HostRefused' };
    }
  }
}

/** A whole URL of a robot, or its token; null where there is nowhere to send a token to. */
function robotUrl(value: string, base: string | null): URL | null {
  if (URL.canParse(value)) return new URL(value);
  if (base === null) return null;
  const url = new URL(base);
  url.searchParams.set('access_token', value);
  return url;
}

/** A robot says in its answer what it did not like, and answers 200. */
function troubleOf({ status, text }: { status: number; text: string }, type: ReceiverType): Trouble {
  if (status < 200 || status > 299)
    return { why: `HTTP ${status}`, passes: status >= 500 || status === 408 || status === 429 };
  const code = type === 'DingToken' ? numberOf(readObject(text)['errcode']) : 0;
  return code === 0 ? null : { why: `errcode ${code}`, passes: code === -1 || code === 130101 };
}

function readObject(text: string): JsonObject {
  try {
    const json = parseJson(text);
    return isJsonObject(json) ? json : {};
  } catch {
    return {};
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}
