import { ApiError } from '../errors.ts';
import type { Format } from './answer.ts';
import type { ParameterTexts } from './parameters.ts';
import { claimsV3, type RequestHead } from './request.ts';

/**
 * How to answer: as Format says; without it V1 means XML, while clients of V3, and whoever accepts JSON, mean JSON.
 * Errors: ApiError 400 for any other Format.
 */
export function formatOf(head: RequestHead, parameters: ParameterTexts): Format {
  const format = parameters.get('Format') ?? '';
  switch (format.toUpperCase()) {
    case 'JSON':
      return 'json';
    case 'XML':
      return 'xml';
    case '':
      return formatByHead(head);
    default:
      throw new ApiError(400, 'InvalidParameter.Format', 'Specified parameter format is not valid.', {
        hint: 'Use JSON or XML.',
      });
  }
}

/** While the parameters are not known, or cannot be read. */
export function formatByHead(head: RequestHead): Format {
  const { headers, queryText } = head;
  const named = /(?:^|&)Format=(json|xml)(?:&|$)/i.exec(queryText)?.[1]?.toLowerCase();
  if (named !== undefined) return named === 'xml' ? 'xml' : 'json';
  const acceptsJson = headers.get('accept')?.some((types) => types.includes('json')) === true;
  return claimsV3(head) || acceptsJson ? 'json' : 'xml';
}
