import { MultipleErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import { messageOf } from '../../lib/errors.ts';
import { HostRefused } from '../../lib/host-policy.ts';
import {
  hostRefused,
  PipelineError,
  type PipelineErrorFacts,
  type PipelineErrorKind,
} from '../../pipeline/pipeline-error.ts';

/**
 * What a refusal means, by the broker's error code alone:
 * `retry` nothing was done, and the same again may succeed soon (a leader or coordinator moved, too few replicas, the
 * transaction before is still being settled); `unavailable` the broker or the connection, and what was asked may have
 * been done or not; `fenced` this producer's epoch is over: another one has its transactional id, or the coordinator
 * ended its transaction; `topic` no such topic; `size` a batch is larger than the topic takes; `record` the topic takes
 * no such record; `settings` what was asked for is not allowed there; `denied` login or rights; `unsupported`.
 */
export type Refusal =
  | 'retry'
  | 'unavailable'
  | 'fenced'
  | 'topic'
  | 'size'
  | 'record'
  | 'settings'
  | 'denied'
  | 'tls'
  | 'unsupported';

const REFUSALS: Readonly<Record<string, Refusal>> = {
  LEADER_NOT_AVAILABLE: 'retry',
  NOT_LEADER_OR_FOLLOWER: 'retry',
  REPLICA_NOT_AVAILABLE: 'retry',
  FENCED_LEADER_EPOCH: 'retry',
  UNKNOWN_LEADER_EPOCH: 'retry',
  NOT_ENOUGH_REPLICAS: 'retry',
  COORDINATOR_LOAD_IN_PROGRESS: 'retry',
  COORDINATOR_NOT_AVAILABLE: 'retry',
  NOT_COORDINATOR: 'retry',
  CONCURRENT_TRANSACTIONS: 'retry',
  THROTTLING_QUOTA_EXCEEDED: 'retry',
  NOT_CONTROLLER: 'retry',
  INVALID_PRODUCER_EPOCH: 'fenced',
  PRODUCER_FENCED: 'fenced',
  INVALID_PRODUCER_ID_MAPPING: 'fenced',
  INVALID_TXN_STATE: 'fenced',
  TRANSACTION_COORDINATOR_FENCED: 'fenced',
  TRANSACTION_ABORTABLE: 'fenced',
  UNKNOWN_PRODUCER_ID: 'fenced',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'fenced',
  UNKNOWN_TOPIC_OR_PARTITION: 'topic',
  UNKNOWN_TOPIC_ID: 'topic',
  MESSAGE_TOO_LARGE: 'size',
  RECORD_LIST_TOO_LARGE: 'size',
  INVALID_RECORD: 'record',
  INVALID_TIMESTAMP: 'record',
  CORRUPT_MESSAGE: 'record',
  INVALID_TRANSACTION_TIMEOUT: 'settings',
  INVALID_TOPIC_EXCEPTION: 'settings',
  INVALID_PARTITIONS: 'settings',
  INVALID_REPLICATION_FACTOR: 'settings',
  INVALID_REPLICA_ASSIGNMENT: 'settings',
  INVALID_CONFIG: 'settings',
  INVALID_REQUIRED_ACKS: 'settings',
  INVALID_REQUEST: 'settings',
  POLICY_VIOLATION: 'settings',
  TOPIC_AUTHORIZATION_FAILED: 'denied',
  GROUP_AUTHORIZATION_FAILED: 'denied',
  CLUSTER_AUTHORIZATION_FAILED: 'denied',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'denied',
  SASL_AUTHENTICATION_FAILED: 'denied',
  UNSUPPORTED_SASL_MECHANISM: 'denied',
  ILLEGAL_SASL_STATE: 'denied',
  SECURITY_DISABLED: 'denied',
  UNSUPPORTED_VERSION: 'unsupported',
  UNSUPPORTED_COMPRESSION_TYPE: 'unsupported',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'unsupported',
};

const RESULTS: Readonly<Record<Refusal, { kind: PipelineErrorKind; code: string; hint: string }>> = {
  retry: {
    kind: 'transient',
    code: 'Sink.Unavailable',
    hint: 'The cluster is moving leaders or lacks replicas; the run tries again by itself.',
  },
  unavailable: {
    kind: 'transient',
    code: 'Sink.Unavailable',
    hint: 'See whether the broker listens there, and what lies between; a run tries again by itself. If it never worked, check address and securityProtocol.',
  },
  fenced: {
    kind: 'transient',
    code: 'Kafka.Fenced',
    hint: 'The coordinator ended the transaction, or another instance writes for this task; the run begins anew by itself.',
  },
  topic: {
    kind: 'transient',
    code: 'Kafka.TopicMissing',
    hint: 'Somebody deleted the topic, or the account may not see it.',
  },
  size: {
    kind: 'fatal',
    code: 'Kafka.MessageTooLarge',
    hint: 'Raise max.message.bytes of the topic (and the consumers’ limits), or allow dirty rows (errorLimit).',
  },
  record: {
    kind: 'fatal',
    code: 'Kafka.RecordRefused',
    hint: 'A compacted topic takes no record without a key: give keyColumns, or another cleanup.policy. One with message.timestamp.before.max.ms takes no older change: raise it.',
  },
  settings: {
    kind: 'fatal',
    code: 'Kafka.SettingRefused',
    hint: 'Change the option, or the limit that the brokers set.',
  },
  denied: {
    kind: 'fatal',
    code: 'Sink.Denied',
    hint: 'Check the account, its password and saslMechanism, and its rights to the topics and the transactional id.',
  },
  tls: {
    kind: 'fatal',
    code: 'Kafka.TlsFailed',
    hint: 'Check securityProtocol, ssl.ca, ssl.mode and the host names in address; ssl.cert and ssl.key where brokers want to know us.',
  },
  unsupported: {
    kind: 'fatal',
    code: 'Kafka.Unsupported',
    hint: 'docs/kafka.md says what works with which broker.',
  },
};

/** What helps against one of them, where more can be said than of its kind. */
const HINTS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    'Give the account DESCRIBE and WRITE on the topic, and CREATE where it is to be made; on __disync_checkpoint READ too.',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    'Give the account DESCRIBE and WRITE on transactional ids that begin with disync-.',
  SASL_AUTHENTICATION_FAILED: 'Check username, password and saslMechanism of the data source.',
  UNSUPPORTED_SASL_MECHANISM: 'Give a saslMechanism that the brokers have enabled.',
  ILLEGAL_SASL_STATE:
    'The brokers want no login at this address: leave out username, or give securityProtocol PLAINTEXT or SSL.',
  INVALID_REPLICATION_FACTOR: 'Give replication that the brokers have room for, or -1 for what they are set to.',
  INVALID_PARTITIONS: 'Give another number of partitions, or -1 for what the brokers are set to.',
  INVALID_TOPIC_EXCEPTION: 'Give the option topic another pattern: no two names may differ in . and _ alone.',
  INVALID_TRANSACTION_TIMEOUT: 'Lower transactionTimeoutMs, or raise the brokers’ transaction.max.timeout.ms.',
};

interface KafkaErrorFacts extends PipelineErrorFacts {
  readonly message: string;
  readonly refusal: Refusal;
  readonly topic?: string | undefined;
  readonly bytes?: number;
  readonly records?: number;
}

/** An error of the brokers or of the way to them. `topic` is given when it is about one. */
export class KafkaError extends PipelineError {
  readonly refusal: Refusal;
  readonly topic: string | undefined;
  /** Of refusal `size`: how large the batch was, and how many records it held. */
  readonly bytes: number | undefined;
  readonly records: number | undefined;

  constructor(
    kind: PipelineErrorKind,
    code: string,
    { message, refusal, topic, bytes, records, ...facts }: KafkaErrorFacts,
  ) {
    super(kind, code, message, facts);
    this.refusal = refusal;
    this.topic = topic;
    this.bytes = bytes;
    this.records = records;
  }
}

/** What an error is about. */
export interface About {
  /** What was being done, such as `creating topics`. */
  readonly doing: string;
  readonly topic?: string;
  readonly bytes?: number;
  readonly records?: number;
  /** Said where the connection was cut instead of an answer. */
  readonly ifCut?: string;
}

/** A refusal that a broker answered with, by its code. */
export function brokerRefusal(errorCode: number, about: About, detail: string | null = null): KafkaError {
  return refusalNamed(protocolErrorsCodesById[errorCode] ?? `error ${errorCode}`, about, detail);
}

/** Whatever a request ended with, as a KafkaError; one that is a PipelineError already passes as it is. */
export function toKafkaError(error: unknown, about: About): PipelineError {
  if (error instanceof PipelineError) return error;
  const refused = hostRefusedIn(error);
  if (refused !== null) return hostRefused(refused, about.doing);
  const id = brokerErrorIdOf(error);
  if (id !== null) return refusalNamed(id, about, serverMessageOf(error));
  const refusal = connectionRefusal(error);
  const { kind, code, hint } = RESULTS[refusal];
  return new KafkaError(kind, code, {
    message: `${about.doing}: ${wholeMessage(error)}${about.ifCut !== undefined && wasCut(error) ? `, ${about.ifCut}` : ''}`,
    refusal,
    topic: about.topic,
    cause: error,
    hint,
  });
}

function hostRefusedIn(error: unknown): HostRefused | null {
  if (error instanceof HostRefused) return error;
  return error instanceof Error && error.cause !== undefined ? hostRefusedIn(error.cause) : null;
}

function refusalNamed(id: string, about: About, detail: string | null): KafkaError {
  const refusal = REFUSALS[id] ?? 'unavailable';
  const { kind, code, hint } = RESULTS[refusal];
  const topic = about.topic === undefined ? '' : ` (topic ${about.topic})`;
  const size = refusal === 'size' && about.bytes !== undefined ? `, a batch of ${about.bytes} bytes` : '';
  const why = detail === null || detail === '' || refusal === 'record' ? '' : `: ${detail}`;
  return new KafkaError(kind, code, {
    message: `${about.doing}${topic}: ${id}${size}${why}`,
    refusal,
    topic: about.topic,
    ...(about.bytes === undefined ? {} : { bytes: about.bytes }),
    ...(about.records === undefined ? {} : { records: about.records }),
    cause: id,
    hint: HINTS[id] ?? hint,
  });
}

/** The name of the error code that a broker answered with; null when the error came from elsewhere. */
export function brokerErrorIdOf(error: unknown): string | null {
  return findText(error, 'apiId');
}

function serverMessageOf(error: unknown): string | null {
  return findText(error, 'serverErrorMessage');
}

function findText(error: unknown, field: 'apiId' | 'serverErrorMessage'): string | null {
  const own = (error as Record<string, unknown> | null)?.[field];
  if (typeof own === 'string') return own;
  const inner = error instanceof MultipleErrors ? error.errors : [];
  const cause = error instanceof Error ? [error.cause] : [];
  for (const one of [...inner, ...cause]) {
    const text = one === undefined ? null : findText(one, field);
    if (text !== null) return text;
  }
  return null;
}

const TLS = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_|ERR_OSSL/;

/**
 * An error on the way to the broker: a proof or a login that failed stays so, all else may pass. The last cause decides: a
 * login that was cut off is an outage.
 */
function connectionRefusal(error: unknown): Refusal {
  let refusal: Refusal = 'unavailable';
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const code = String((one as { code?: unknown }).code);
    if (code === 'PLT_KFK_AUTHENTICATION') refusal = 'denied';
    else if (code === 'PLT_KFK_USER') refusal = 'tls';
    else if (code === 'PLT_KFK_NETWORK') refusal = 'unavailable';
    else if (/^E[A-Z]+$/.test(code)) return 'unavailable';
    else if (TLS.test(code)) return 'tls';
  }
  return refusal;
}

/** By the broker: it was reached. */
function wasCut(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof Error && error.cause !== undefined) return wasCut(error.cause);
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'PLT_KFK_NETWORK';
}

/** The library's errors say little at the top: what the socket said is below. */
function wholeMessage(error: unknown): string {
  const messages = [messageOf(error)];
  for (let one = error; one instanceof Error && one.cause instanceof Error; one = one.cause) {
    messages.push(saidBy(one.cause));
  }
  return [...new Set(messages)].join(' ');
}

/** Of OpenSSL's errors the reason alone, and nothing of what is advised to people who run Node themselves. */
function saidBy(error: Error): string {
  const { library, reason } = error as { library?: unknown; reason?: unknown };
  if (library === 'SSL routines' && typeof reason === 'string') return reason;
  return error.message.replace(/; if the root CA is installed locally.*$/s, '');
}
