export const PROJECT = 'bench';
export const CREDENTIAL = { accessId: 'bench', accessKey: 'bench' };

/** What the stand-in for the tunnel says of itself. */
export interface TunnelFigures {
  readonly url: string;
  /** Rows that were committed, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Of rows, before compression. */
  readonly bytes: number;
  readonly blocks: number;
}
