/*
 * Every event of the binary log:
 *
 *   [ timestamp 4 ][ type 1 ][ server id 4 ][ event length 4 ][ position after it 4 ][ flags 2 ][ body ][ CRC32 4, if on ]
 *
 * Source: MySQL Server source documentation, "Binary log event structure"; MariaDB Server, "Replication protocol".
 */
export const EVENT_HEADER = 19;

export const QUERY = 2;
export const STOP = 3;
export const ROTATE = 4;
export const FORMAT_DESCRIPTION = 15;
export const XID = 16;
export const EXECUTE_LOAD_QUERY = 18;
export const TABLE_MAP = 19;
export const WRITE_ROWS_V1 = 23;
export const UPDATE_ROWS_V1 = 24;
export const DELETE_ROWS_V1 = 25;
export const INCIDENT = 26;
export const HEARTBEAT = 27;
export const IGNORABLE = 28;
export const ROWS_QUERY = 29;
export const WRITE_ROWS_V2 = 30;
export const UPDATE_ROWS_V2 = 31;
export const DELETE_ROWS_V2 = 32;
export const GTID = 33;
export const ANONYMOUS_GTID = 34;
export const PREVIOUS_GTIDS = 35;
export const XA_PREPARE = 38;
export const PARTIAL_UPDATE_ROWS = 39;
export const TRANSACTION_PAYLOAD = 40;
export const HEARTBEAT_V2 = 41;
export const GTID_TAGGED = 42;
export const MARIADB_ANNOTATE = 160;
export const MARIADB_CHECKPOINT = 161;
export const MARIADB_GTID = 162;
export const MARIADB_GTID_LIST = 163;
export const MARIADB_START_ENCRYPTION = 164;
/** 166 to 168: compressed rows of version 1; 169 to 171: of version 2. */
export const MARIADB_QUERY_COMPRESSED = 165;

/** Made up by the server while it sends, not in the file: its position says nothing. */
export const FLAG_ARTIFICIAL = 0x20;
/** A reader that does not know the type may pass over it. */
export const FLAG_IGNORABLE = 0x80;
