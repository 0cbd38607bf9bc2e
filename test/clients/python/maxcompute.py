# What a user of the vendor's client does. Arguments: what to do, the endpoint.
#   write  makes tables by statements; uploads (plain, deflate), streams and upserts into them
#   read   reads what others wrote, through downloads and SELECT, and prints it as JSON
import datetime
import decimal
import json
import sys

import pandas
from odps import ODPS, errors, options
from odps.tunnel import CompressOption, TableTunnel

options.sql.use_odps2_extension = True
options.local_timezone = False
options.tunnel.use_instance_tunnel = False

ALGORITHMS = (None, CompressOption.CompressAlgorithm.ODPS_ZLIB)
COLUMNS = """id BIGINT, name STRING, share DOUBLE, ok BOOLEAN, tiny TINYINT, amount DECIMAL(20,4), day DATE, at DATETIME,
  ts TIMESTAMP, raw BINARY, list ARRAY<BIGINT>, pairs MAP<STRING,BIGINT>, pair STRUCT<x:BIGINT,y:STRING>"""
KEYED = "k string not null, n bigint not null, v string"
# Texts and numbers of every length and sign: each has to be in the bucket that the double hashes it into.
KEYS = [
    (text * repeat, sign * 7**power)
    for text in ("", "a", "第", "é~\x7f")
    for repeat in (1, 3, 40)
    for sign in (1, -1)
    for power in (0, 9, 21)
]
DELTA = '"transactional"="true", "write.bucket.num"="4"'

client = ODPS("id", "key", project="p", endpoint=sys.argv[2])
tunnel = TableTunnel(client)


def values(row):
    return [
        row - 1,
        "第 %d" % row,
        row / 4,
        row > 1,
        row - 100,
        decimal.Decimal(row) / 4 - 1,
        datetime.date(1969 + row, 12, 31),
        datetime.datetime(1969 + row, 12, 31, 23, 59, 59, 123000),
        pandas.Timestamp("%d-12-31 23:59:59.123456789" % (1970 + row)),
        bytes([row, 255]),
        [row, None, -row],
        {"k": row},
        (row, "y"),
    ]


def option(algorithm):
    return None if algorithm is None else CompressOption(algorithm)


def manage():
    made = client.create_table("made", ("id bigint, name string", "pt string"), lifecycle=3, if_not_exists=True)
    made.create_partition("pt='1'", if_not_exists=True)
    made.create_partition("pt='2'")
    assert made.exist_partition("pt='1'") and not made.exist_partition("pt='3'")
    made.delete_partition("pt='1'", if_exists=True)
    assert [str(one.partition_spec) for one in made.partitions] == ["pt='2'"]
    assert made.get_partition("pt='2'").creation_time is not None
    client.create_table("keyed", KEYED, primary_key=["k", "n"], transactional=True)
    assert client.get_table("keyed").is_transactional
    assert client.exist_table("made") and not client.exist_table("nowhere")
    client.delete_table("made")
    assert not client.exist_table("made")
    try:
        client.execute_sql("SELECT * FROM nowhere")
    except errors.NoSuchTable:
        return
    raise AssertionError("a table that is not there was read")


def use_schema():
    hints = {"odps.namespace.schema": "true", "odps.sql.allow.namespace.schema": "true"}
    other = ODPS("id", "key", project="p", endpoint=sys.argv[2], schema="s")
    other.execute_sql("CREATE SCHEMA p.s", hints=hints)
    table = other.create_table("inner_lines", "id bigint, name string", schema="s")
    upload = TableTunnel(other).create_upload_session(table)
    with upload.open_record_writer(0) as writer:
        writer.write(upload.new_record([1, "of s"]))
    upload.commit([0])
    with table.open_reader() as reader:
        assert [record.values for record in reader] == [[1, "of s"]]
    with other.execute_sql("SELECT name FROM p.s.inner_lines", hints=hints).open_reader() as reader:
        assert [record.values for record in reader] == [["of s"]]
    assert not client.exist_table("inner_lines")


def write():
    manage()
    use_schema()
    session = tunnel.create_upsert_session("keyed")
    stream = session.open_upsert_stream()
    for key, number in KEYS:
        stream.upsert(session.new_record([key, number, "of " + key]))
    stream.close()
    session.commit()

    client.execute_sql("CREATE TABLE log (%s) PARTITIONED BY (pt STRING) LIFECYCLE 7" % COLUMNS)
    client.execute_sql("CREATE TABLE lines (id BIGINT, name STRING)")
    client.execute_sql("CREATE TABLE users (id BIGINT NOT NULL, name STRING, PRIMARY KEY (id)) TBLPROPERTIES (%s)" % DELTA)
    client.execute_sql("ALTER TABLE lines ADD COLUMNS (more STRING)")

    for block, algorithm in enumerate(ALGORITHMS):
        upload = tunnel.create_upload_session(
            "log", partition_spec="pt='%d'" % block, create_partition=True, compress_option=option(algorithm)
        )
        with upload.open_record_writer(0, compress=algorithm is not None) as writer:
            for row in range(3):
                writer.write(upload.new_record(values(row)))
        upload.commit([0])

        stream = tunnel.create_stream_upload_session("lines", compress_option=option(algorithm))
        with stream.open_record_writer(compress=algorithm is not None) as writer:
            writer.write(stream.new_record([block, "line %d" % block, None]))

    session = tunnel.create_upsert_session("users")
    stream = session.open_upsert_stream()
    for key in range(100):
        stream.upsert(session.new_record([key, "user %d" % key]))
    for key in range(0, 100, 2):
        stream.delete(session.new_record([key, None]))
    stream.close()
    session.commit()


def rows_of(table, partition=None):
    session = tunnel.create_download_session(table, partition_spec=partition)
    with session.open_record_reader(0, session.count) as reader:
        return [record.values for record in reader]


def read():
    with client.execute_sql("SELECT id, name FROM ours_log WHERE pt='1'").open_reader() as reader:
        selected = [list(record.values) for record in reader]
    with client.execute_sql("SELECT COUNT(*) FROM ours_users").open_reader() as reader:
        count = reader[0][0]
    found = {
        "log": rows_of("ours_log", "pt='1'"),
        "lines": rows_of("ours_lines"),
        "users": rows_of("ours_users"),
        "partitions": [str(partition.partition_spec) for partition in client.get_table("ours_log").partitions],
        "columns": [[column.name, str(column.type).lower().replace("`", "")] for column in client.get_table("ours_log").table_schema.simple_columns],
        "key": client.get_table("ours_users").primary_key,
        "tables": sorted(table.name for table in client.list_tables()),
        "selected": selected,
        "count": int(count),
    }
    print(json.dumps(found, default=plain, ensure_ascii=False))


def plain(value):
    return value.hex() if isinstance(value, bytes) else str(value)


{"write": write, "read": read}[sys.argv[1]]()
