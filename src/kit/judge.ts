/** What a workshop needs of a laptop, judged over what was found; pure. */
import { commandWords } from "../io/build.ts";
import type { Item } from "./code.ts";

/** What was found about one item. */
export interface Finding {
  readonly item: Item;
  readonly isFine: boolean;
  /** What was found, and, if it is not fine, what to do. */
  readonly said: string;
}

/** Envoy, three servers and a load generator, in threads. */
const CORES_MIN = 2;

/** All of it under load, with room to spare; measured: 0.5 GiB. */
const MEMORY_GIB_MIN = 1;

/** Reports of a long day; one has up to some megabytes. */
const DISK_GIB_MIN = 0.5;

/** What connections of a load test and Envoy take, with room to spare. */
const FILES_MIN = 1024;

/** The share of the requested rate that must be reached. */
const RATE_SHARE_MIN = 0.95;

/** A call takes some 5 ms; above this, experiments say "unknown". */
const P99_MS_MAX = 250;

/** @param gib What programs may still use, in GiB. */
export function judgeMemory(gib: number): Finding {
  return finding(
    "memory",
    gib >= MEMORY_GIB_MIN,
    `${gib.toFixed(1)} GiB to be used`,
    `it takes ${MEMORY_GIB_MIN}; close other programs`,
  );
}

/** @param gib The space left on the disk with the folder, in GiB. */
export function judgeDisk(gib: number): Finding {
  return finding(
    "disk",
    gib >= DISK_GIB_MIN,
    `${gib.toFixed(1)} GiB free`,
    `reports take up to ${DISK_GIB_MIN}; make room`,
  );
}

/** @param cores The cores that programs see. */
export function judgeProcessor(cores: number): Finding {
  return finding(
    "processor",
    cores >= CORES_MIN,
    `${cores} cores`,
    `it takes ${CORES_MIN}, or experiments say "unknown"`,
  );
}

/** @param limit How many files a program may open; Infinity for no limit. */
export function judgeFiles(limit: number): Finding {
  return finding(
    "files",
    limit >= FILES_MIN,
    `a program may open ${limit === Infinity ? "any number of" : limit} files`,
    `it takes ${FILES_MIN}; raise it with \`ulimit -n ${FILES_MIN}\``,
  );
}

/** @param taken The places that were not free, as "127.0.0.1:8080". */
export function judgePorts(
  wanted: readonly number[],
  taken: readonly string[],
): Finding {
  const free = `${wanted.join(", ")} are free`;
  return finding(
    "ports",
    taken.length === 0,
    taken.length === 0 ? free : `${taken.join(", ")} taken`,
    `stop what uses it, or choose others (\`${commandWords()} up --help\`)`,
  );
}

/** @param absent The addresses that this machine does not have. */
export function judgeAddresses(
  wanted: readonly string[],
  absent: readonly string[],
): Finding {
  const all = `${wanted.at(0)} to ${wanted.at(-1)} are here`;
  return finding(
    "addresses",
    absent.length === 0,
    absent.length === 0 ? all : `this machine has no ${absent.join(", ")}`,
    "each server needs one of its own; use a Linux machine",
  );
}

/** The result of a few seconds of load. */
export interface Speed {
  readonly calls: number;
  /** Calls without a reply. */
  readonly lost: number;
  readonly askedPerS: number;
  readonly reachedPerS: number;
  readonly p99Ms: number;
}

/** Judges the load. */
export function judgeSpeed(
  { calls, lost, askedPerS, reachedPerS, p99Ms }: Speed,
): Finding {
  return finding(
    "speed",
    calls > 0 && lost === 0 && p99Ms <= P99_MS_MAX &&
      reachedPerS >= RATE_SHARE_MIN * askedPerS,
    `${reachedPerS.toFixed(0)} of ${askedPerS} calls/s, ${lost} of ${calls} ` +
      `lost, 99 % within ${p99Ms.toFixed(0)} ms`,
    `none may be lost, and 99 % must be within ${P99_MS_MAX} ms; close other ` +
      "programs and look again",
  );
}

function finding(
  item: Item,
  isFine: boolean,
  found: string,
  remedy: string,
): Finding {
  return { item, isFine, said: isFine ? found : `${found}; ${remedy}` };
}
