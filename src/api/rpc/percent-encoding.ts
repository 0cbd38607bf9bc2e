import { ApiError } from '../errors.ts';

const UNESCAPED_BY_PLATFORM = /[!'()*]/g;

/** RFC 3986: UTF-8, everything but `A-Z a-z 0-9 - _ . ~` as %XX in upper case. The form that signatures are made of. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    UNESCAPED_BY_PLATFORM,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * Undoes the encoding of a name or a value in a query or a form; `+` is a space.
 * Errors: ApiError 400 on a broken escape, on bytes that are no UTF-8, and on raw characters beyond ASCII.
 */
export function percentDecode(text: string): string {
  try {
    if (/[^\x20-\x7e]/.test(text)) throw new URIError('raw');
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new ApiError(400, 'InvalidParameter', 'The parameters are not percent-encoded UTF-8.', {
      hint: 'Encode names and values as UTF-8, each byte beyond A-Z a-z 0-9 - _ . ~ as %XX.',
    });
  }
}
