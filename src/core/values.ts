/**
 * Parsers of values written as text, and an address as text again; each parser
 * throws a RangeError that begins with "must" for invalid text. Flags and load-test settings use them, in k6 too, so
 * they need plain JavaScript only.
 */

/** Parses a whole number from `min` to `max`, both included. */
export function wholeNumber(
  min: number,
  max: number,
): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < min || value > max) {
      throw new RangeError(`must be a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** Parses a decimal number above 0 and at most `max`. */
export function positiveNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]*\.?[0-9]+$/.test(text) || !(value > 0 && value <= max)) {
      throw new RangeError(`must be a number above 0 and at most ${max}`);
    }
    return value;
  };
}

/** Parses a port number; `min` is 0 where 0 means "any free port". */
export function port(min: 0 | 1 = 1): (text: string) => number {
  return wholeNumber(min, 65_535);
}

/**
 * A host and a port: an IPv6 address in brackets, with its zone if it has one,
 * or a name. Container names may have underscores.
 */
const HOST_AND_PORT =
  /^(?!\[[^\]]*:::)(?:\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?\]|[^\s:/[\]"\\]+):([0-9]{1,5})$/;

/** Parses "host:port", with an IPv6 address in brackets. */
export function hostAndPort(text: string): string {
  const value = Number(HOST_AND_PORT.exec(text)?.[1]);
  if (!(value >= 1 && value <= 65_535)) {
    throw new RangeError(
      "must be HOST:PORT, for example localhost:5000 or [::1]:5000",
    );
  }
  return text;
}

/**
 * "host:port", with an IPv6 address in brackets, as in a target.
 *
 * @param host A name or an address; IPv6 with or without brackets.
 */
export function hostPort(host: string, port: number): string {
  const isBare = host.includes(":") && !host.startsWith("[");
  return `${isBare ? `[${host}]` : host}:${port}`;
}

/** Parses text that is not empty and has at most `max` characters. */
export function words(max: number): (text: string) => string {
  return (text) => {
    if (text.length === 0 || text.length > max) {
      throw new RangeError(`must have 1 to ${max} characters`);
    }
    return text;
  };
}

/** Milliseconds per unit of a duration. */
const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Parses a duration, for example "30s", from `minMs` to a day, as ms. */
export function durationMs(minMs: number): (text: string) => number {
  return (text) => {
    const [, count, unit] = /^([0-9]+)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
    if (!(ms >= minMs && ms <= 24 * UNITS_MS.h)) {
      throw new RangeError(
        `must be a number with ms, s, m or h, from ${minMs}ms to 24h`,
      );
    }
    return ms;
  };
}

/** Parses a decimal number above 0 and below 1. */
export function partOfOne(text: string): number {
  const value = Number(text);
  if (!/^[0-9]*\.?[0-9]+$/.test(text) || !(value > 0 && value < 1)) {
    throw new RangeError("must be a number above 0 and below 1");
  }
  return value;
}

/** Makes a parser that accepts one of the given words. */
export function oneOf<T extends string>(
  known: readonly T[],
): (text: string) => T {
  return (text) => {
    const found = known.find((word) => word === text);
    if (found === undefined) {
      throw new RangeError(`must be one of ${known.join(", ")}`);
    }
    return found;
  };
}
