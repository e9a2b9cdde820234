/** HPACK (RFC 7541): the header blocks of HTTP/2 frames. */
import { CODE, putInteger } from "../../core/http2_wire.ts";
import { Http2Error } from "./errors.ts";
import { decodeHuffman, latin1 } from "./huffman.ts";

/** One header field: its name and its value. */
export type Field = readonly [name: string, value: string];

/** A header block that cannot be decoded, which is fatal to its connection. */
function malformed(message: string): Http2Error {
  return new Http2Error(CODE.compressionError, message);
}

/** The static table, from index 1 (appendix A). */
const STATIC_TABLE: readonly Field[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  ...["200", "204", "206", "304", "400", "404", "500"]
    .map((status): Field => [":status", status]),
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ...[
    "accept-language accept-ranges accept access-control-allow-origin age",
    "allow authorization cache-control content-disposition content-encoding",
    "content-language content-length content-location content-range",
    "content-type cookie date etag expect expires from host if-match",
    "if-modified-since if-none-match if-range if-unmodified-since",
    "last-modified link location max-forwards proxy-authenticate",
    "proxy-authorization range referer refresh retry-after server set-cookie",
    "strict-transport-security transfer-encoding user-agent vary via",
    "www-authenticate",
  ].join(" ").split(" ").map((name): Field => [name, ""]),
];

/** What a field counts in addition to its name and value (section 4.1). */
const FIELD_OVERHEAD_BYTES = 32;

/** The size of the peer's dynamic table: the protocol's default. */
export const TABLE_BYTES_MAX = 4096;

/** The result of decoding a block. */
export interface DecodedBlock {
  /** In order; truncated where the list became too long. */
  readonly fields: readonly Field[];
  /** Whether the list is longer than allowed. */
  readonly isTooLong: boolean;
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + FIELD_OVERHEAD_BYTES;
}

/**
 * Decodes the header blocks of one connection, in order.
 *
 * It holds at most `TABLE_BYTES_MAX` between blocks, and at most `listBytesMax`
 * of a block: one byte can refer to a whole field of the table, so a short
 * block can expand without bound.
 */
export class HpackDecoder {
  readonly #listBytesMax: number;
  /** Newest first. */
  readonly #table: Field[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #block: Uint8Array = new Uint8Array();
  #at = 0;

  /** @param listBytesMax As counted for SETTINGS_MAX_HEADER_LIST_SIZE. */
  constructor(listBytesMax: number) {
    this.#listBytesMax = listBytesMax;
  }

  /**
   * Decodes a whole block.
   * @throws {Http2Error} When it is malformed.
   */
  decode(block: Uint8Array): DecodedBlock {
    this.#block = block;
    this.#at = 0;
    const fields: Field[] = [];
    let listBytes = 0;
    let isTooLong = false;
    while (this.#at < block.length) {
      const field = this.#field(listBytes > 0);
      if (field === undefined) continue;
      listBytes += sizeOf(field);
      isTooLong ||= listBytes > this.#listBytesMax;
      if (!isTooLong) fields.push(field);
    }
    this.#block = new Uint8Array();
    return { fields, isTooLong };
  }

  /** One field; undefined for a table size update. */
  #field(hasFields: boolean): Field | undefined {
    const first = this.#block[this.#at] ?? 0;
    if (first >= 0x80) return this.#indexed(this.#integer(7));
    if (first >= 0x40) {
      const field = this.#literal(6);
      this.#add(field);
      return field;
    }
    if (first < 0x20) return this.#literal(4);
    if (hasFields) throw malformed("a table size update after a field");
    const size = this.#integer(5);
    if (size > TABLE_BYTES_MAX) throw malformed("an oversized table");
    this.#tableBytesMax = size;
    this.#evict();
    return undefined;
  }

  #literal(prefixBits: number): Field {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#string() : this.#indexed(index)[0];
    return [name, this.#string()];
  }

  #indexed(index: number): Field {
    const field = index <= STATIC_TABLE.length
      ? STATIC_TABLE[index - 1]
      : this.#table[index - STATIC_TABLE.length - 1];
    if (field === undefined) throw malformed("an invalid index");
    return field;
  }

  #add(field: Field): void {
    this.#table.unshift(field);
    this.#tableBytes += sizeOf(field);
    this.#evict();
  }

  #evict(): void {
    while (this.#tableBytes > this.#tableBytesMax) {
      const oldest = this.#table.pop();
      if (oldest === undefined) break;
      this.#tableBytes -= sizeOf(oldest);
    }
  }

  /** An integer after the upper bits of the byte it begins in (5.1). */
  #integer(prefixBits: number): number {
    const prefixMax = 2 ** prefixBits - 1;
    let value = this.#byte() & prefixMax;
    if (value < prefixMax) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed("an integer above the limit");
  }

  #string(): string {
    const isHuffman = (this.#block[this.#at] ?? 0) >= 0x80;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw malformed("a truncated string");
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    const text = isHuffman ? decodeHuffman(bytes) : latin1(bytes);
    if (text === undefined) throw malformed("a malformed Huffman string");
    return text;
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw malformed("a truncated block");
    this.#at += 1;
    return byte;
  }
}

const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(([name], at) => [name, at + 1] as const).toReversed(),
);

/** The fields that are in the static table with their values. */
const STATIC_FIELDS: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.flatMap(([name, value], at) =>
    value === "" ? [] : [[`${name}\n${value}`, at + 1] as const]
  ),
);

/**
 * Encodes a header block without a dynamic table: nothing is kept per
 * connection, and the few fields of a gRPC response are short anyway.
 *
 * @param fields Names in lower case; values of printable ASCII.
 */
export function encodeHeaders(fields: readonly Field[]): Uint8Array {
  const block: number[] = [];
  for (const [name, value] of fields) {
    const index = STATIC_FIELDS.get(`${name}\n${value}`);
    if (index !== undefined) {
      putInteger(block, 0x80, 7, index);
      continue;
    }
    const nameIndex = STATIC_NAMES.get(name) ?? 0;
    putInteger(block, 0, 4, nameIndex);
    if (nameIndex === 0) putString(block, name);
    putString(block, value);
  }
  return Uint8Array.from(block);
}

function putString(block: number[], text: string): void {
  putInteger(block, 0, 7, text.length);
  for (let at = 0; at < text.length; at += 1) {
    block.push(text.charCodeAt(at) & 0xff);
  }
}
