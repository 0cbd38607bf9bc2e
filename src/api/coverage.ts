import type { Field, Operation } from './operation.ts';
import type { Parameter } from './parameter.ts';
import type { Members } from './shape.ts';

/** docs/api-coverage.md: of every operation and parameter, what is served, ignored and refused. */
export function renderCoverage(operations: readonly Operation[]): string {
  return `${[HEAD, ...operations.map(renderOperation)].join('\n\n')}\n`;
}

const HEAD = `# What of the API is served

Made from the catalogue (\`src/api/catalogue.ts\`) by \`node scripts/node24.mjs scripts/api-coverage.ts\`; a test compares.
Operations that are not below are answered 404 \`InvalidAction.NotFound\`, other versions 400 \`InvalidVersion\`.

## Common parameters

| parameter | | |
|---|---|---|
| Action, Version | served | V1: as parameters; V3: as headers x-acs-action, x-acs-version |
| AccessKeyId, Signature, SignatureMethod, SignatureVersion, SignatureNonce, Timestamp | served | V1, HMAC-SHA1; V3, ACS3-HMAC-SHA256, has them in headers |
| Format | served | JSON or XML in any case; without it V1 gets XML, as the contract says, V3 and whoever accepts JSON get JSON. In XML a list is its element again and again |
| SecurityToken, x-acs-security-token | served | of temporary credentials, which \`disync token\` issues |
| SignatureType BEARERTOKEN, x-acs-bearer-token | refused | 400 \`InvalidSignatureMethod\` |
| RegionId and any other name | ignored | signed like the others |
| a name given twice | refused | 400 \`InvalidParameter\`, in query, form, or one each |

An object or a list comes as one JSON text, or flattened: one parameter for each value, \`Name.Key\`, items counted from 1,
\`Name.1.Key\`. Below, \`Name[].Key\` is a key of each of its items.

Parameters may come in the query or in a form body, with GET, POST, PUT or DELETE at \`/\`. Empty is the same as missing. A text
holds no control character, a free one no NUL.
A required one that is missing is 400 \`Missing{Name}\`, one that is wrong 400 \`Invalid.DI.Parameter\`, a project that the
key does not open 403 \`Forbidden.DI.NoPrivilege\`.`;

function renderOperation({ name, version, summary, access, parameters, answer, notes }: Operation): string {
  return [
    `## ${name}`,
    `${version}, ${access}: ${summary}.`,
    table(
      ['parameter', 'type', 'required', 'accepted', 'meaning', 'here'],
      Object.entries(parameters).flatMap(parameterRows),
    ),
    table(['answer', 'type', 'meaning'], fieldRows(answer)),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ].join('\n\n');
}

function parameterRows([name, parameter]: [string, Parameter<unknown>]): string[][] {
  const { type, required, rule, meaning, note, members } = parameter;
  const here = note === '' ? 'served' : `served; ${note}`;
  return [[name, type, required ? 'yes' : 'no', rule, meaning, here], ...memberRows(members, inside(name, type))];
}

/** What is inside a structured parameter, by its path. */
function memberRows(members: Members, path: string): string[][] {
  return Object.entries(members).flatMap(([name, { shape, required, meaning, note }]) => {
    const step = `${path}${name}`;
    const row = [step, shape.type, required ? 'yes' : 'no', shape.rule, meaning, note === '' ? 'served' : note];
    return [row, ...memberRows(shape.members, inside(step, shape.type))];
  });
}

function inside(step: string, type: string): string {
  return `${step}${type === 'list' ? '[]' : ''}.`;
}

/** Objects and lists are followed by what is in them, by its path. */
function fieldRows(fields: readonly Field[], path = ''): string[][] {
  return fields.flatMap(({ name, type, meaning, fields: inner = [] }) => {
    const step = `${path}${name}`;
    return [[step, type, meaning], ...fieldRows(inner, inside(step, type))];
  });
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
