import { type Connection, type Reader, Writer } from '@platformatic/kafka';
import { PRODUCE_KEY } from './api-ranges.ts';
import { writeBehind } from './payload-behind.ts';

/** Records for one partition, as one record batch. */
export interface ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  /** A whole record batch of format 2; producer, sequence number, checksum and the transactional bit are set on sending. */
  readonly records: Uint8Array;
  /** How many records it holds. */
  readonly count: number;
}

export interface ProduceRequest {
  readonly version: number;
  readonly transactionalId: string | null;
  /** How long the leader waits for its replicas. */
  readonly timeoutMs: number;
  /** At most one for each partition. */
  readonly batches: readonly ProducerBatch[];
}

export interface ProduceAnswer {
  readonly throttleMs: number;
  readonly results: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly errorCode: number;
    readonly message: string | null;
  }[];
}

const FIRST_FLEXIBLE = 9;
const ACKS_ALL = -1;

/** The newest version spoken here: topics by name. From 12 on, a leader adds its partition to the transaction by itself. */
export const PRODUCE_NEWEST = 12;
/** The newest version whose partitions must have been added to the transaction before. */
export const PRODUCE_NEWEST_EXPLICIT = 11;
/** The oldest: zstd is allowed since. */
export const PRODUCE_OLDEST = 7;

/** Sends record batches as they are; the answer is awaited by `connection`'s own timeout. */
export function produce(connection: Connection, request: ProduceRequest): Promise<ProduceAnswer> {
  const flexible = request.version >= FIRST_FLEXIBLE;
  const { promise, resolve, reject } = Promise.withResolvers<ProduceAnswer>();
  connection.send<ProduceAnswer>(
    PRODUCE_KEY,
    request.version,
    () => {
      writeBehind(connection.socket, PRODUCE_KEY, writeRequest(request, flexible).buffers);
      return Writer.create();
    },
    (_correlation, _key, version, reader) => readAnswer(reader, version),
    flexible,
    flexible,
    (error, answer) => {
      if (error !== null && error !== undefined) reject(error);
      else if (answer === undefined) reject(new Error('an empty answer'));
      else resolve(answer);
    },
  );
  return promise;
}

/*
 * Produce request, versions 7 to 12 (compact lengths and tags from 9 on):
 *
 *   transactional_id | int16 acks | int32 timeout_ms | [ topic | [ int32 partition | bytes records ] ]
 */
function writeRequest({ transactionalId, timeoutMs, batches }: ProduceRequest, flexible: boolean): Writer {
  const writer = Writer.create()
    .appendString(transactionalId, flexible)
    .appendInt16(ACKS_ALL)
    .appendInt32(timeoutMs)
    .appendArray(
      [...Map.groupBy(batches, ({ topic }) => topic)],
      (w, [topic, ofTopic]) => {
        w.appendString(topic, flexible).appendArray(
          ofTopic,
          (inner, { partition, records }) => {
            const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
            inner.appendInt32(partition).appendBytes(bytes, flexible);
          },
          flexible,
          flexible,
        );
      },
      flexible,
      flexible,
    );
  if (flexible) writer.appendTaggedFields();
  return writer;
}

/*
 * Produce answer, versions 7 to 12 (compact and with tags from 9 on; with the errors of records from 8 on):
 *
 *   [ topic | [ int32 partition | int16 error | int64 base offset | int64 append time | int64 log start
 *               | [ int32 index | message ] | message ] ] | int32 throttle_ms
 */
function readAnswer(reader: Reader, version: number): ProduceAnswer {
  const flexible = version >= FIRST_FLEXIBLE;
  const results = reader.readArray(
    (r) => {
      const topic = r.readString(flexible);
      const partitions = r.readArray(
        (p) => {
          const partition = p.readInt32();
          const errorCode = p.readInt16();
          p.skip(3 * 8);
          if (version < 8) return { topic, partition, errorCode, message: null };
          p.readArray((e) => e.skip(4).readNullableString(flexible), flexible, flexible);
          return { topic, partition, errorCode, message: p.readNullableString(flexible) };
        },
        flexible,
        flexible,
      );
      return partitions;
    },
    flexible,
    flexible,
  );
  return { results: results.flat(), throttleMs: reader.readInt32() };
}
