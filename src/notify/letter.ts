import { createHmac } from 'node:crypto';
import type { JsonObject } from '../lib/json-value.ts';
import type { ReceiverType } from '../tasks/alarm-rule.ts';
import type { AlarmNotification } from '../tasks/notifier.ts';
import { robotText, webhookPayload } from './payload.ts';

/** Where tokens of robots go. Null: those cannot be told. */
export interface RobotUrls {
  /** A token is added as `access_token`. */
  readonly dingRobotUrl: string | null;
  /** A token is added as the last segment of the path. */
  readonly feishuRobotUrl: string | null;
}

/** What one receiver is sent, and where. */
export interface Letter {
  readonly url: URL;
  readonly body: JsonObject;
}

/** Writes it. `now`: milliseconds since the epoch; a signature holds for an hour from then. */
export type WriteLetter = (now: number) => Letter;

/** Null where there is nowhere to send a token to. */
export function letterTo(
  { type, value }: { readonly type: ReceiverType; readonly value: string },
  notification: AlarmNotification,
  { dingRobotUrl, feishuRobotUrl }: RobotUrls,
): WriteLetter | null {
  switch (type) {
    case 'AliyunUid':
      return null;
    case 'WebHookUrl':
      return () => ({ url: new URL(value), body: webhookPayload(notification) });
    case 'DingToken':
      return dingLetter(value, robotText(notification), dingRobotUrl);
    case 'FeishuToken':
      return feishuLetter(value, robotText(notification), feishuRobotUrl);
  }
}

/** Signed as DingTalk's custom robots want it: `timestamp` in ms and `sign` in the query. */
function dingLetter(value: string, content: string, base: string | null): WriteLetter | null {
  const robot = robotOf(value, base, (url, token) => url.searchParams.set('access_token', token));
  if (robot === null) return null;
  const { url, secret } = robot;
  const body = { msgtype: 'text', text: { content } };
  if (secret === null) return () => ({ url, body });
  return (now) => {
    const signed = new URL(url);
    signed.searchParams.set('timestamp', String(now));
    signed.searchParams.set('sign', hmac(secret, `${now}\n${secret}`));
    return { url: signed, body };
  };
}

/** Signed as Feishu's custom robots want it: `timestamp` in seconds and `sign`, of nothing under a key of both, in the body. */
function feishuLetter(value: string, text: string, base: string | null): WriteLetter | null {
  const robot = robotOf(value, base, (url, token) => {
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/${token}`;
  });
  if (robot === null) return null;
  const { url, secret } = robot;
  const body = { msg_type: 'text', content: { text } };
  if (secret === null) return () => ({ url, body });
  return (now) => {
    const timestamp = String(Math.floor(now / 1000));
    return { url, body: { timestamp, sign: hmac(`${timestamp}\n${secret}`, ''), ...body } };
  };
}

/** A whole URL, or a token with what may follow it in a query. Its `secret` is never sent. */
function robotOf(
  value: string,
  base: string | null,
  addToken: (url: URL, token: string) => void,
): { url: URL; secret: string | null } | null {
  if (URL.canParse(value)) {
    const url = new URL(value);
    const secret = url.searchParams.get('secret');
    if (secret !== null) url.searchParams.delete('secret');
    return { url, secret };
  }
  if (base === null) return null;
  const [token = '', ...rest] = value.split('&');
  const url = new URL(base);
  addToken(url, token);
  return { url, secret: new URLSearchParams(rest.join('&')).get('secret') };
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64');
}
