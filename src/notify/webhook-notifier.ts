import type { Clock } from '../lib/clock.ts';
import type { HostPolicy } from '../lib/host-policy.ts';
import { isJsonObject, parseJson, stringifyJson } from '../lib/json.ts';
import type { JsonObject } from '../lib/json-value.ts';
import type { Logger } from '../lib/log.ts';
import { BackOff, pause } from '../lib/retry.ts';
import { type AlarmReceivers, maskReceiver, type ReceiverType } from '../tasks/alarm-rule.ts';
import type { AlarmRuleId } from '../tasks/ids.ts';
import type { AlarmNotification, Notifier } from '../tasks/notifier.ts';
import { type Letter, letterTo, type RobotUrls, type WriteLetter } from './letter.ts';
import { postJson } from './post-json.ts';

const TRIES = 4;
const TRY_MS = 10_000;
const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 30_000;
/** Deliveries on their way, waiting for their next try included; more are given up. */
const UNDERWAY_MAX = 200;

export interface WebhookNotifierOptions {
  readonly hosts: HostPolicy;
  readonly robots: RobotUrls;
  readonly clock: Clock;
  readonly log: Logger;
  /** The wait before the second try; a second when it is not given. */
  readonly firstWaitMs?: number;
  /** How long one try may take; 10 s when it is not given. */
  readonly tryMs?: number;
}

/** Where a robot says in its answer how it went, and with which codes it may go better later. */
const ANSWERS: Readonly<Partial<Record<ReceiverType, { readonly key: string; readonly passing: readonly number[] }>>> =
  {
    DingToken: { key: 'errcode', passing: [-1, 130101] },
    FeishuToken: { key: 'code', passing: [11232] },
  };
/** Without which tokens lead nowhere. */
const SETTINGS: Readonly<Partial<Record<ReceiverType, keyof RobotUrls>>> = {
  DingToken: 'dingRobotUrl',
  FeishuToken: 'feishuRobotUrl',
};

interface Receiver {
  readonly type: ReceiverType;
  readonly value: string;
}

/** What came of one try: null when it worked. */
type Trouble = { readonly why: string; readonly passes: boolean } | null;

/** Tells webhooks and robots of DingTalk and Feishu. What it logs never holds a URL or a token (I7). */
export class WebhookNotifier implements Notifier {
  readonly #options: WebhookNotifierOptions;
  readonly #over = new AbortController();
  /** Rules whose mails and the like were said to be lost. */
  readonly #warned = new Set<AlarmRuleId>();
  #underway = 0;

  constructor(options: WebhookNotifierOptions) {
    this.#options = options;
  }

  async notify(notification: AlarmNotification, receivers: readonly AlarmReceivers[]): Promise<'over' | 'cut'> {
    const ends = receivers.flatMap(({ type, values }) => {
      if (type !== 'AliyunUid') return values.map((value) => this.#deliver(notification, { type, value }));
      this.#warnUndelivered(notification.rule);
      return [];
    });
    return (await Promise.all(ends)).includes('cut') ? 'cut' : 'over';
  }

  close(): void {
    this.#over.abort();
  }

  #warnUndelivered(rule: AlarmRuleId): void {
    if (this.#warned.has(rule)) return;
    this.#warned.add(rule);
    this.#options.log.warn({ rule }, 'Mail, Phone and Sms are not delivered: give the alarm rule a webhook or a robot');
  }

  async #deliver(notification: AlarmNotification, receiver: Receiver): Promise<'over' | 'cut'> {
    const { type, value } = receiver;
    const facts = { rule: notification.rule, task: notification.task, type, receiver: maskReceiver(type, value) };
    const { log } = this.#options;
    const write = letterTo(receiver, notification, this.#options.robots);
    if (write === null) {
      log.warn(facts, `an alarm was not delivered: tokens of robots need the setting ${SETTINGS[type]}`);
      return 'over';
    }
    if (this.#underway >= UNDERWAY_MAX) {
      log.error(facts, 'an alarm was not delivered: too many are on their way');
      return 'over';
    }
    this.#underway += 1;
    try {
      const trouble = await this.#try(write, type);
      if (trouble === null) log.info(facts, 'an alarm was delivered');
      else if (this.#over.signal.aborted) return 'cut';
      else log.error({ ...facts, why: trouble.why }, 'an alarm was not delivered');
      return 'over';
    } finally {
      this.#underway -= 1;
    }
  }

  async #try(write: WriteLetter, type: ReceiverType): Promise<Trouble> {
    const { signal } = this.#over;
    const backOff = new BackOff(this.#options.firstWaitMs ?? FIRST_WAIT_MS, MOST_WAIT_MS);
    for (let tries = 1; ; tries++) {
      const trouble = await this.#once(write(this.#options.clock.now()), type);
      if (trouble === null || !trouble.passes || tries === TRIES || signal.aborted) return trouble;
      await pause(backOff.next(), signal);
    }
  }

  async #once({ url, body }: Letter, type: ReceiverType): Promise<Trouble> {
    const { hosts, tryMs = TRY_MS } = this.#options;
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(tryMs)]);
    try {
      return troubleOf(await postJson(url, stringifyJson(body), { hosts, signal }), type);
    } catch (error) {
      // Messages of the system hold the host, and that is the receiver's secret too.
      const { code, name } = error as { code?: unknown; name?: unknown };
      const why = typeof code === 'string' ? code : String(name);
      return { why, passes: why !== 'Network.HostRefused' };
    }
  }
}

/** A robot says in its answer what it did not like, and answers 200. */
function troubleOf({ status, text }: { status: number; text: string }, type: ReceiverType): Trouble {
  if (status < 200 || status > 299)
    return { why: `HTTP ${status}`, passes: status >= 500 || status === 408 || status === 429 };
  const judged = ANSWERS[type];
  const code = judged === undefined ? 0 : numberOf(readObject(text)[judged.key]);
  return judged === undefined || code === 0
    ? null
    : { why: `${judged.key} ${code}`, passes: judged.passing.includes(code) };
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
