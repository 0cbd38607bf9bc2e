import { promisify } from 'node:util';
import { constants, deflate, inflate, zstdCompress, zstdDecompress } from 'node:zlib';

/** How the body of an upload is packed: its Content-Encoding. `deflate` is a zlib container (RFC 1950), and what every client of the vendor reads. */
export type Compression = 'none' | 'deflate' | 'zstd';

const DEFLATE_LEVEL = 1;
const CHUNK_BYTES_LEAST = 16 * 1024;
const CHUNK_BYTES_MOST = 512 * 1024;

/** Packs off the main thread. The bytes may be written again only when it is done. */
export async function compress(bytes: Uint8Array, compression: Compression): Promise<Uint8Array> {
  switch (compression) {
    case 'none':
      return bytes;
    case 'deflate':
      return promisify(deflate)(bytes, { level: DEFLATE_LEVEL, chunkSize: chunkBytes(bytes) });
    case 'zstd':
      return promisify(zstdCompress)(bytes, {
        chunkSize: chunkBytes(bytes),
        params: { [constants.ZSTD_c_compressionLevel]: 1 },
      });
  }
}

/** Memory for what comes out is taken in pieces of this size: few of them, and not much more than is needed. */
function chunkBytes({ length }: Uint8Array): number {
  return Math.min(Math.max(length >> 3, CHUNK_BYTES_LEAST), CHUNK_BYTES_MOST);
}

/** Unpacks at most `bytesMax`. Errors: the library's, for bytes that are not of this kind or are too many. */
export async function decompress(bytes: Uint8Array, compression: Compression, bytesMax: number): Promise<Uint8Array> {
  switch (compression) {
    case 'none':
      return bytes;
    case 'deflate':
      return promisify(inflate)(bytes, { maxOutputLength: bytesMax });
    case 'zstd':
      return promisify(zstdDecompress)(bytes, { maxOutputLength: bytesMax });
  }
}
