/** The settings of load tests: a row each, with its variable and its parser. */
import { durationMs, hostAndPort, partOfOne, wholeNumber } from "../values.ts";

/** A setting: its variable, its default, its parser. */
export interface Row<T> {
  readonly env: string;
  readonly default: string;
  readonly parse: (text: string) => T;
}

function row<T>(env: string, normally: string, parse: Row<T>["parse"]): Row<T> {
  return { env, default: normally, parse };
}

function optional(parse: (text: string) => string): Row<string>["parse"] {
  return (text) => text === "" ? "" : parse(text);
}

function path(text: string): string {
  if (text.length > 4000 || text.includes("\0")) {
    throw new RangeError("must be a path without its file extension");
  }
  return text;
}

/** The settings, by their names in the scripts. */
export const SETTINGS = {
  target: row("TARGET", "localhost:5000", hostAndPort),
  l7Target: row("L7_TARGET", "", optional(hostAndPort)),
  ratePerS: row("RATE", "300", wholeNumber(1, 20_000)),
  durationMs: row("DURATION", "30s", durationMs(1000)),
  warmupMs: row("WARMUP", "5s", durationMs(0)),
  servers: row("SERVERS", "3", wholeNumber(1, 32)),
  tolerance: row("TOLERANCE", "0.01", partOfOne),
  p95Ms: row("P95_MS", "50", wholeNumber(1, 60_000)),
  p99Ms: row("P99_MS", "100", wholeNumber(1, 60_000)),
  vus: row("VUS", "53", wholeNumber(1, 1000)),
  deadlineMs: row("DEADLINE_MS", "5000", wholeNumber(1, 60_000)),
  workMs: row("WORK_MS", "0", wholeNumber(0, 60_000)),
  rateMaxPerS: row("RATE_MAX", "3000", wholeNumber(1, 20_000)),
  steps: row("STEPS", "9", wholeNumber(1, 50)),
  spikeRatePerS: row("SPIKE_RATE", "1500", wholeNumber(1, 20_000)),
  spikeP99Ms: row("SPIKE_P99_MS", "1000", wholeNumber(1, 60_000)),
  connections: row("CONNECTIONS", "2", wholeNumber(1, 1000)),
  callsAtOnce: row("BATCH", "25", wholeNumber(1, 100)),
  messages: row("MESSAGES", "20", wholeNumber(1, 10_000)),
  intervalMs: row("INTERVAL_MS", "50", wholeNumber(0, 10_000)),
  reference: row("REFERENCE", "", optional(hostAndPort)),
  report: row("REPORT", "", path),
  record: row("RECORD", "", path),
} as const;

/** A setting's name in the scripts. */
export type SettingName = keyof typeof SETTINGS;
