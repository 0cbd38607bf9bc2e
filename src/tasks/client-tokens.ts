import type { ProjectId } from './ids.ts';
import { TaskError } from './task-error.ts';
import type { Idempotence } from './task-service.ts';
import type { TaskRecords } from './task-store.ts';

/** What an earlier call with this token answered; null when there was none. Errors: TaskError when it asked for something else. */
export async function replayed(
  records: TaskRecords,
  project: ProjectId,
  idempotence: Idempotence | null,
): Promise<bigint | null> {
  if (idempotence === null) return null;
  const known = await records.token(project, idempotence.operation, idempotence.token);
  if (known === null) return null;
  if (known.parameters !== idempotence.parameters) {
    throw new TaskError(
      'invalid',
      'ClientToken.Reused',
      'ClientToken was used before with other parameters. Use a new one for a new call.',
    );
  }
  return known.answer;
}

/** Remembers the answer, in the transaction that made it. */
export async function remember(
  records: TaskRecords,
  project: ProjectId,
  idempotence: Idempotence | null,
  answer: bigint,
): Promise<void> {
  if (idempotence === null) return;
  await records.insertToken(project, idempotence.operation, idempotence.token, {
    parameters: idempotence.parameters,
    answer,
  });
}
