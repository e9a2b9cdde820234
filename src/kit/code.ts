/**
 * What a look at a laptop has found, as a code short enough to be read aloud:
 * "GD1-ABCDE-FGHJK-...". Its letters are those of Crockford's base 32, without
 * I, L, O and U; its last four are a checksum.
 */

/** The items of a look, in the order in which they are printed. */
export const ITEMS = [
  ...["versions", "parts", "ports", "addresses", "files", "disk"],
  ...["memory", "processor", "speed"],
] as const;

/** One of them. */
export type Item = typeof ITEMS[number];

/** The figures of a code, with the most that it can hold. */
export const FIGURES_MAX = {
  /** The project's version: "1.2.3" is 10203. */
  version: 2 ** 20 - 1,
  /** Processor cores. */
  cores: 255,
  /** Memory that can be used, in units of 64 MiB. */
  memory64Mib: 4095,
  /** Space on the disk, in units of 256 MiB. */
  disk256Mib: 4095,
  /** Calls per second that were answered. */
  callsPerS: 4095,
  /** The latency that 99 % of the calls did not exceed, in milliseconds. */
  p99Ms: 4095,
} as const;

/** The figures of a laptop; whole numbers, cut at their maximum. */
export type Figures = { readonly [K in keyof typeof FIGURES_MAX]: number };

/** The content of a code. */
export interface Look {
  /** The items that are in order. */
  readonly fine: ReadonlySet<Item>;
  readonly figures: Figures;
}

const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX = "GD1";
const SUM_LETTERS = 4;
const GROUP = 5;

/** Names and bits of all fields, in order. */
const FIELDS: readonly (readonly [name: Item | keyof Figures, max: number])[] =
  [
    ...ITEMS.map((item) => [item, 1] as const),
    ...(Object.entries(FIGURES_MAX) as [keyof Figures, number][]),
  ];

const BITS = FIELDS.reduce((sum, [, max]) => sum + bitsOf(max), 0);
const BODY_LETTERS = Math.ceil(BITS / 5);

function bitsOf(max: number): number {
  return Math.log2(max + 1);
}

/** Makes the code of a look. */
export function encodeLook({ fine, figures }: Look): string {
  let bits = 0n;
  for (const [name, max] of FIELDS) {
    const value = name in figures
      ? Math.max(0, Math.min(max, Math.floor(figures[name as keyof Figures])))
      : Number(fine.has(name as Item));
    bits = bits << BigInt(bitsOf(max)) | BigInt(value);
  }
  const body = lettersOf(bits, BODY_LETTERS);
  const all = body + lettersOf(BigInt(sumOf(body)), SUM_LETTERS);
  const groups = all.match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
  return [PREFIX, ...groups].join("-");
}

/**
 * Reads a code; dashes, spaces and the case of letters do not matter, and O, I
 * and L are taken for 0, 1 and 1.
 *
 * @throws {RangeError} When it is no code, or has a wrong letter.
 */
export function decodeLook(text: string): Look {
  const plain = text.toUpperCase().replaceAll(/[\s-]/g, "");
  if (!plain.startsWith(PREFIX)) {
    throw new RangeError(`must begin with ${PREFIX}`);
  }
  const letters = plain.slice(PREFIX.length)
    .replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (letters.length !== BODY_LETTERS + SUM_LETTERS) {
    throw new RangeError(
      `must have ${BODY_LETTERS + SUM_LETTERS} letters behind ${PREFIX}`,
    );
  }
  const body = letters.slice(0, BODY_LETTERS);
  if (
    [...letters].some((letter) => !LETTERS.includes(letter)) ||
    lettersOf(BigInt(sumOf(body)), SUM_LETTERS) !== letters.slice(BODY_LETTERS)
  ) {
    throw new RangeError("must have no letter wrong, as this one has");
  }
  let bits = 0n;
  for (const letter of body) {
    bits = bits << 5n | BigInt(LETTERS.indexOf(letter));
  }
  const values = new Map<string, number>();
  for (const [name, max] of FIELDS.toReversed()) {
    values.set(name, Number(bits & BigInt(max)));
    bits >>= BigInt(bitsOf(max));
  }
  const figureNames = Object.keys(FIGURES_MAX) as (keyof Figures)[];
  return {
    fine: new Set(ITEMS.filter((item) => values.get(item) === 1)),
    figures: Object.fromEntries(
      figureNames.map((name) => [name, values.get(name) ?? 0]),
    ) as Figures,
  };
}

function lettersOf(bits: bigint, count: number): string {
  let letters = "";
  for (let at = count - 1; at >= 0; at -= 1) {
    letters += LETTERS[Number(bits >> BigInt(5 * at) & 31n)];
  }
  return letters;
}

/** A checksum of 20 bits, FNV-1a folded: any one wrong letter changes it. */
function sumOf(body: string): number {
  let sum = 0x811c9dc5;
  for (const letter of body) {
    sum = Math.imul(sum ^ LETTERS.indexOf(letter), 0x01000193) >>> 0;
  }
  return (sum >>> 20 ^ sum) & 0xfffff;
}

/** A version as a number: "1.2.3" is 10203. */
export function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 10_000 + minor * 100 + patch;
}

/** The version of a number: 10203 is "1.2.3". */
export function versionOfNumber(number: number): string {
  return [number / 10_000, number / 100 % 100, number % 100]
    .map(Math.floor).join(".");
}
