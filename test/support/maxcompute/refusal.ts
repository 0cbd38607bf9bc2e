import { escapeXml } from '../../../src/connectors/maxcompute/protocol/xml.ts';

/** A refusal of what is under `/api` is in XML. */
export const XML = { 'Content-Type': 'application/xml' } as const;

/** What the double refuses a call with. `headers` go with the reply; `holdMs` asks the client to wait. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly holdMs: number;

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    holdMs = 0,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.holdMs = holdMs;
  }

  /** As the tunnel says it, or the rest of the service. */
  get body(): string {
    const { code, message, holdMs } = this;
    if (this.headers['Content-Type'] === XML['Content-Type'])
      return `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
    return JSON.stringify({ Code: code, Message: message, ...(holdMs === 0 ? {} : { HoldClientMillis: holdMs }) });
  }
}
