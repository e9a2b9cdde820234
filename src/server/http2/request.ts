/** Checks the header lists of requests (RFC 9113, section 8). */
import { CODE } from "../../core/http2_wire.ts";
import { StreamError } from "./errors.ts";
import type { Field } from "./hpack.ts";

/** Headers by name, as grpc-js takes them. */
export type Headers = Readonly<Record<string, string>>;

const PSEUDO = new Set([":method", ":scheme", ":path", ":authority"]);

/** Connection-specific headers of HTTP/1.1, which must not occur. */
const FORBIDDEN = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

function malformed(what: string): StreamError {
  return new StreamError(CODE.protocolError, `malformed request: ${what}`);
}

/**
 * Checks the headers of a request.
 *
 * @param isCut Whether the list was too long and is truncated.
 * @throws {StreamError} When they are malformed.
 */
export function requestHeaders(
  fields: readonly Field[],
  isCut = false,
): Headers {
  const headers: Record<string, string> = Object.create(null);
  let isRegular = false;
  for (const [name, value] of fields) {
    if (name.startsWith(":")) {
      if (isRegular) throw malformed("a pseudo-header after a header");
      if (!PSEUDO.has(name)) throw malformed("an unknown pseudo-header");
      if (name in headers) throw malformed("a repeated pseudo-header");
      headers[name] = checked(value);
      continue;
    }
    isRegular = true;
    add(headers, name, value);
  }
  for (const name of [":method", ":scheme", ":path"]) {
    if (!headers[name] && !isCut) throw malformed(`no ${name}`);
  }
  return headers;
}

/**
 * Checks a request's trailers.
 * @throws {StreamError} When they are malformed.
 */
export function checkTrailers(fields: readonly Field[]): void {
  const trailers: Record<string, string> = Object.create(null);
  for (const [name, value] of fields) {
    if (name.startsWith(":")) throw malformed("a pseudo-header in trailers");
    add(trailers, name, value);
  }
}

function add(
  headers: Record<string, string>,
  name: string,
  value: string,
): void {
  if (!/^[!-9;-@[-~]+$/.test(name)) throw malformed("a bad header name");
  if (FORBIDDEN.has(name)) throw malformed("a connection-specific header");
  if (name === "te" && value !== "trailers") throw malformed("an invalid te");
  // A repeated header has both values, by HTTP's rules.
  const before = headers[name];
  headers[name] = before === undefined
    ? checked(value)
    : `${before}, ${checked(value)}`;
}

function checked(value: string): string {
  if (/[\0\r\n]/.test(value)) throw malformed("a bad header value");
  return value;
}

/** The fields of a response: printable ASCII, whatever the caller sent. */
export function answerFields(
  headers: Readonly<Record<string, unknown>>,
): readonly Field[] {
  const fields: Field[] = [[":status", String(headers[":status"] ?? 200)]];
  for (const [name, value] of Object.entries(headers)) {
    if (name !== ":status") fields.push(...fieldsOf(name, value));
  }
  return fields;
}

/** The trailers of a response. */
export function trailerFields(
  headers: Readonly<Record<string, unknown>>,
): readonly Field[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    fieldsOf(name, value)
  );
}

function fieldsOf(name: string, value: unknown): Field[] {
  if (value === undefined || value === null) return [];
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.map((one) => [name.toLowerCase(), printable(String(one))]);
}

/** Percent-encodes other characters, as "grpc-message" does anyway. */
function printable(text: string): string {
  return /^[ -~]*$/.test(text)
    ? text
    : text.replace(/[^ -~]+/gu, (part) =>
      encodeURIComponent(part.toWellFormed()));
}
