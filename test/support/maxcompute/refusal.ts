/** A refusal of what is under `/api` is in XML. */
export const XML = { 'Content-Type': 'application/xml' } as const;

/** What the double refuses a call with. `headers` go with the reply. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
