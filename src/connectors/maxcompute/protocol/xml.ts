/*
 * As much of XML as the service's replies need: elements by name, at whatever depth, their text with entities or CDATA.
 */

/** The text of the first element of this name; null without one. */
export function tagText(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}(?:\\s[^>]*)?(?:/>|>([\\s\\S]*?)</${name}>)`).exec(xml);
  return found === null ? null : unescape(found[1] ?? '');
}

/** The texts of an attribute of all elements of a name, in their order; '' where one has no such attribute. */
export function attributes(xml: string, element: string, attribute: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}(\\s[^>]*)?>`, 'g'))].map(([, inner = '']) =>
    unescape(new RegExp(`\\s${attribute}="([^"]*)"`).exec(inner)?.[1] ?? ''),
  );
}

/** A text as it may stand in an element. */
export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescape(text: string): string {
  return text.replace(
    /<!\[CDATA\[([\s\S]*?)\]\]>|&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (whole, cdata?: string, hex?: string, decimal?: string, name?: string) => {
      if (cdata !== undefined) return cdata;
      if (name !== undefined) return ENTITIES[name] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}
