# What a user of the vendor's client does with the tunnel. Arguments: the endpoint.
import sys

from odps import ODPS
from odps.tunnel import CompressOption, TableTunnel

ALGORITHMS = (None, CompressOption.CompressAlgorithm.ODPS_ZLIB)

client = ODPS("id", "key", project="p", endpoint=sys.argv[1])
tunnel = TableTunnel(client)

for block, algorithm in enumerate(ALGORITHMS):
    option = None if algorithm is None else CompressOption(algorithm)
    upload = tunnel.create_upload_session(
        "log", partition_spec="pt='%d'" % block, create_partition=True, compress_option=option
    )
    with upload.open_record_writer(0) as writer:
        for row in range(3):
            writer.write(upload.new_record([row - 1, "第 %d" % row, row / 4, row > 1]))
    upload.commit([0])

session = tunnel.create_upsert_session("users")
stream = session.open_upsert_stream()
for key in range(100):
    stream.upsert(session.new_record([key, "user %d" % key]))
for key in range(0, 100, 2):
    stream.delete(session.new_record([key, None]))
stream.close()
session.commit()
