/** Why a task failed, as its result says it: `ODPS-nnnnnnn:message`. */
export class SqlFailure extends Error {
  override readonly name = 'SqlFailure';

  constructor(code: string, message: string) {
    super(`${code}:${message}`);
  }

  static parse(message: string): SqlFailure {
    return new SqlFailure('ODPS-0130161', `[1,1] Parse exception - ${message}`);
  }

  static semantic(message: string): SqlFailure {
    return new SqlFailure('ODPS-0130071', `[1,1] Semantic analysis exception - ${message}`);
  }
}
