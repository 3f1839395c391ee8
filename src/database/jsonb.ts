/**
 * JSON text that PostgreSQL's jsonb takes, whatever an API sent: jsonb knows neither U+0000 nor half a surrogate pair
 * (PostgreSQL, "JSON Types"). Bind it as `${toJsonb(value)}::text::jsonb`.
 */
export function toJsonb(value: unknown): string {
  const json = JSON.stringify(value);
  if (!/\\u(0000|d[89a-f])/.test(json)) return json; // how JSON.stringify writes what jsonb refuses: hardly ever there
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? storableText(inner) : inner));
}

/** Text that a PostgreSQL text column takes: U+0000 and lone surrogates become the replacement character. */
export function storableText(text: string): string {
  return text
    .replaceAll('\0', '\ufffd')
    .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
