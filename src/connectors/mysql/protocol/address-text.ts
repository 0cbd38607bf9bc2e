const HEX = '0123456789abcdef';

/** MariaDB's UUID, INET4 and INET6: 16 or 4 bytes in the log, a text everywhere else. By the type's name. */
export const ADDRESS_TEXTS: Readonly<Record<string, { readonly bytes: number; text(bytes: Uint8Array): string }>> = {
  uuid: { bytes: 16, text: uuidText },
  inet4: { bytes: 4, text: (bytes) => bytes.join('.') },
  inet6: { bytes: 16, text: inet6Text },
};

function uuidText(bytes: Uint8Array): string {
  let text = '';
  for (const [index, byte] of bytes.entries()) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-';
    text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  }
  return text;
}

/** The longest run of zeros is left out, also a single one; what is IPv4 in IPv6 ends as IPv4. Source: MariaDB Server, Inet6::to_string. */
function inet6Text(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, index) => (bytes[2 * index]! << 8) | bytes[2 * index + 1]!);
  const gap = longestGap(words);
  let text = '';
  for (let index = 0; index < 8; index += 1) {
    if (index === gap.at) {
      text += index === 0 ? '::' : ':';
      index += gap.length - 1;
    } else if (index === 6 && gap.at === 0 && (gap.length === 6 || (gap.length === 5 && words[5] === 0xffff)))
      return text + bytes.subarray(12).join('.');
    else text += words[index]!.toString(16) + (index < 7 ? ':' : '');
  }
  return text;
}

function longestGap(words: readonly number[]): { at: number; length: number } {
  let longest = { at: -1, length: 0 };
  for (let at = 0; at < words.length; at += 1) {
    let length = 0;
    while (words[at + length] === 0) length += 1;
    if (length > longest.length) longest = { at, length };
    at += length;
  }
  return longest;
}
