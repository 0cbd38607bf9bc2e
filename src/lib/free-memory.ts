/**
 * Gives a large buffer back at once: the collector looks for it only after as much again was taken. Views of it are empty
 * from here on; nobody outside JavaScript, such as a socket that writes it, may still use it.
 */
export function freeMemory(buffer: ArrayBufferLike): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
