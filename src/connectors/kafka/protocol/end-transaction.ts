import { createAPI, endTxnV1, endTxnV3, endTxnV4, type Reader, ResponseError, Writer } from '@platformatic/kafka';
import { type Api, END_TRANSACTION_KEY } from './api-ranges.ts';

type Question = [transactionalId: string, producerId: bigint, producerEpoch: number, committed: boolean];

interface Answer {
  readonly errorCode: number;
  /** From version 5 on: who writes the next transaction. */
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
}

/*
 * EndTxn, version 5:  transactional_id | int64 producer_id | int16 epoch | bool committed | tags
 *           answer:   int32 throttle_ms | int16 error | int64 producer_id | int16 epoch | tags
 */
const endTransactionV5 = createAPI<Question, Answer>(
  END_TRANSACTION_KEY,
  5,
  (...[transactionalId, producerId, producerEpoch, committed]: Question) =>
    Writer.create()
      .appendString(transactionalId)
      .appendInt64(producerId)
      .appendInt16(producerEpoch)
      .appendBoolean(committed)
      .appendTaggedFields(),
  (_correlation, key, version, reader) => readAnswer(key, version, reader),
);

function readAnswer(key: number, version: number, reader: Reader): Answer {
  reader.skip(4);
  const errorCode = reader.readInt16();
  const answer = { errorCode, producerId: reader.readInt64(), producerEpoch: reader.readInt16() };
  if (errorCode !== 0) throw new ResponseError(key, version, { '/': [errorCode, null] }, answer);
  return answer;
}

/** For transactions whose partitions the leaders add by themselves: the answer has a new epoch. */
export const END_TRANSACTION: readonly Api<Question, Answer>[] = [endTransactionV5];
/** For transactions of the older protocol. */
export const END_TRANSACTION_EXPLICIT: readonly Api<Question, Answer>[] = [endTxnV4.api, endTxnV3.api, endTxnV1.api];
