/** HPACK's Huffman code (RFC 7541, appendix B), for decoding only. */

/**
 * The length in bits of each octet's code, and last of the end of string, as
 * base-31 digits. The code is canonical, so its lengths define it.
 */
const CODE_LENGTHS = "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666" +
  "666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbeds" +
  "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqq" +
  "rrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

const END_OF_STRING = 256;

const LENGTH_MAX = 30;

/** Octets in the order of their codes, and where each length begins. */
const { octets, starts } = orderOfCodes();

interface Start {
  /** The first code of this length. */
  readonly code: number;
  /** How many codes have this length. */
  readonly count: number;
  /** The index of the first one's octet in `octets`. */
  readonly at: number;
}

function orderOfCodes(): {
  readonly octets: readonly number[];
  readonly starts: readonly Start[];
} {
  const lengths = [...CODE_LENGTHS].map((digit) => parseInt(digit, 31));
  const octets: number[] = [];
  const starts: Start[] = [];
  let code = 0;
  for (let length = 0; length <= LENGTH_MAX; length += 1) {
    const ofLength = lengths.flatMap((each, octet) =>
      each === length ? [octet] : []
    );
    starts.push({ code, count: ofLength.length, at: octets.length });
    octets.push(...ofLength);
    code = (code + ofLength.length) * 2;
  }
  return { octets, starts };
}

/**
 * Decodes a Huffman-coded string.
 *
 * @returns The octets as Latin-1 characters, or undefined when the coding is
 * invalid: an end of string, or padding that is too long or not all ones.
 */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  const decoded: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = code * 2 + (byte >> bit & 1);
      length += 1;
      const start = starts[length];
      if (start === undefined) return undefined;
      const offset = code - start.code;
      if (offset >= start.count) continue;
      const octet = octets[start.at + offset] ?? END_OF_STRING;
      if (octet === END_OF_STRING) return undefined;
      decoded.push(octet);
      code = 0;
      length = 0;
    }
  }
  const isPadding = length < 8 && code === 2 ** length - 1;
  return isPadding ? latin1(decoded) : undefined;
}

/** Octets per call; engines limit the number of arguments. */
const CHUNK = 4096;

/** Octets as Latin-1 characters. */
export function latin1(octets: ArrayLike<number> & Iterable<number>): string {
  if (octets.length <= CHUNK) return String.fromCharCode(...octets);
  const all = Array.from(octets);
  let text = "";
  for (let at = 0; at < all.length; at += CHUNK) {
    text += String.fromCharCode(...all.slice(at, at + CHUNK));
  }
  return text;
}
