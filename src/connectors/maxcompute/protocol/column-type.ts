/** A type of MaxCompute. Decimals without digits are decimal(38,18), as the service takes them. */
export type ColumnType =
  | { readonly kind: PlainKind }
  | { readonly kind: 'char' | 'varchar'; readonly length: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'array'; readonly element: ColumnType }
  | { readonly kind: 'map'; readonly key: ColumnType; readonly value: ColumnType }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly type: ColumnType;
}

const PLAIN_KINDS = [
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'float',
  'double',
  'boolean',
  'string',
  'binary',
  'date',
  'datetime',
  'timestamp',
  'timestamp_ntz',
  'interval_day_time',
  'interval_year_month',
  'json',
] as const;
export type PlainKind = (typeof PLAIN_KINDS)[number];

/** Reads a type as tables name it, such as `array<struct<x:bigint,y:decimal(20,4)>>`. Errors: Error for any other text. */
export function parseColumnType(text: string): ColumnType {
  const reader = new TypeReader(text);
  const type = reader.type();
  reader.end();
  return type;
}

/** The type as CREATE TABLE says it. */
export function columnTypeText(type: ColumnType): string {
  if ('length' in type) return `${type.kind}(${type.length})`;
  if ('scale' in type) return `decimal(${type.precision},${type.scale})`;
  if ('element' in type) return `array<${columnTypeText(type.element)}>`;
  if ('key' in type) return `map<${columnTypeText(type.key)},${columnTypeText(type.value)}>`;
  if ('fields' in type)
    return `struct<${type.fields.map(({ name, type: field }) => `${name}:${columnTypeText(field)}`).join(',')}>`;
  return type.kind;
}

class TypeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  type(): ColumnType {
    const word = this.#match(/[a-z_]+/iy).toLowerCase();
    const plain = PLAIN_KINDS.find((kind) => kind === word);
    if (plain !== undefined) return { kind: plain };
    switch (word) {
      case 'char':
      case 'varchar':
        return { kind: word, length: this.#numbers()[0] ?? this.#fail() };
      case 'decimal': {
        const [precision = 38, scale = 18] = this.#has('(') ? [...this.#numbers(), 0] : [];
        return { kind: word, precision, scale };
      }
      case 'array':
        return { kind: word, element: this.#inAngles(() => this.type()) };
      case 'map':
        return this.#inAngles(() => {
          const key = this.type();
          this.#take(',');
          return { kind: word, key, value: this.type() };
        });
      case 'struct':
        return { kind: word, fields: this.#inAngles(() => this.#fields()) };
      default:
        return this.#fail();
    }
  }

  end(): void {
    if (this.#match(/\s*/y) !== '' || this.#at < this.#text.length) this.#fail();
  }

  #fields(): StructField[] {
    const fields: StructField[] = [];
    do {
      const name = this.#match(/\s*(?:`[^`]+`|[^\s:,<>`]+)/y)
        .trim()
        .replaceAll('`', '');
      this.#take(':');
      this.#match(/\s*/y);
      fields.push({ name, type: this.type() });
    } while (this.#takeIf(','));
    return fields;
  }

  #inAngles<T>(read: () => T): T {
    this.#take('<');
    this.#match(/\s*/y);
    const found = read();
    this.#take('>');
    return found;
  }

  #numbers(): number[] {
    this.#take('(');
    const numbers = this.#match(/[\d\s,]+/y)
      .split(',')
      .map(Number);
    this.#take(')');
    return numbers;
  }

  #has(sign: string): boolean {
    return this.#text.slice(this.#at).trimStart().startsWith(sign);
  }

  #takeIf(sign: string): boolean {
    const has = this.#has(sign);
    if (has) this.#take(sign);
    return has;
  }

  #take(sign: string): void {
    if (!this.#has(sign)) this.#fail();
    this.#at = this.#text.indexOf(sign, this.#at) + 1;
    this.#match(/\s*/y);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? this.#fail();
    this.#at += found.length;
    return found;
  }

  #fail(): never {
    throw new Error(`${JSON.stringify(this.#text)} is no type of MaxCompute`);
  }
}
