// What a run is asked for: variables of the environment, a row each.

/** Words as a setting's value; `pattern` says which. */
function text(pattern, rule) {
  return (value) => {
    if (!pattern.test(value)) throw new RangeError(`must be ${rule}`);
    return value;
  };
}

function wholeNumber(min, max) {
  return (value) => {
    const number = Number(value);
    if (!/^[0-9]+$/.test(value) || number < min || number > max) {
      throw new RangeError(`must be a whole number from ${min} to ${max}`);
    }
    return number;
  };
}

function partOfOne(value) {
  const number = Number(value);
  if (!/^[0-9]*\.?[0-9]+$/.test(value) || !(number > 0 && number < 1)) {
    throw new RangeError("must be a number above 0 and below 1");
  }
  return number;
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration of at least `minMs` and at most a day, in milliseconds. */
function durationMs(minMs) {
  return (value) => {
    const [, count, unit] = /^([0-9]+)(ms|s|m|h)$/.exec(value) || [];
    const ms = Number(count) * UNIT_MS[unit];
    if (!(ms >= minMs && ms <= 24 * UNIT_MS.h)) {
      throw new RangeError(
        `must be a number with ms, s, m or h, from ${minMs}ms to 24h`,
      );
    }
    return ms;
  };
}

const HOST_PORT = /^[A-Za-z0-9.-]+:[0-9]{1,5}$/;

/**
 * The settings, by their name in the scripts: the variable, the value when it
 * is not set, and how it is read.
 */
export const ROWS = {
  target: {
    env: "TARGET",
    default: "localhost:5000",
    parse: text(HOST_PORT, 'a host and a port, as "localhost:5000"'),
  },
  ratePerS: { env: "RATE", default: "300", parse: wholeNumber(1, 20_000) },
  durationMs: { env: "DURATION", default: "30s", parse: durationMs(1000) },
  warmupMs: { env: "WARMUP", default: "5s", parse: durationMs(0) },
  servers: { env: "SERVERS", default: "3", parse: wholeNumber(1, 32) },
  tolerance: { env: "TOLERANCE", default: "0.01", parse: partOfOne },
  p95Ms: { env: "P95_MS", default: "50", parse: wholeNumber(1, 60_000) },
  p99Ms: { env: "P99_MS", default: "100", parse: wholeNumber(1, 60_000) },
  vus: { env: "VUS", default: "53", parse: wholeNumber(1, 1000) },
  deadlineMs: {
    env: "DEADLINE_MS",
    default: "5000",
    parse: wholeNumber(1, 60_000),
  },
  workMs: { env: "WORK_MS", default: "0", parse: wholeNumber(0, 60_000) },
  rateMaxPerS: {
    env: "RATE_MAX",
    default: "3000",
    parse: wholeNumber(1, 20_000),
  },
  steps: { env: "STEPS", default: "9", parse: wholeNumber(1, 50) },
  spikeRatePerS: {
    env: "SPIKE_RATE",
    default: "1500",
    parse: wholeNumber(1, 20_000),
  },
  spikeP99Ms: {
    env: "SPIKE_P99_MS",
    default: "1000",
    parse: wholeNumber(1, 60_000),
  },
  connections: {
    env: "CONNECTIONS",
    default: "2",
    parse: wholeNumber(1, 1000),
  },
  callsAtOnce: { env: "BATCH", default: "25", parse: wholeNumber(1, 100) },
  messages: { env: "MESSAGES", default: "20", parse: wholeNumber(1, 10_000) },
  intervalMs: {
    env: "INTERVAL_MS",
    default: "50",
    parse: wholeNumber(0, 10_000),
  },
  report: {
    env: "REPORT",
    default: "",
    parse: text(/^[^\0]{1,4000}$/, "a path without its ending"),
  },
};

/** What every script reads. */
const COMMON = [
  "target",
  "ratePerS",
  "durationMs",
  "warmupMs",
  "servers",
  "tolerance",
  "p95Ms",
  "p99Ms",
  "vus",
  "deadlineMs",
  "workMs",
  "report",
];

/**
 * Reads the settings of a script. A wrong value is not thrown here, where k6
 * would add a stack to it: it is in `problems`, which stop the run in set-up.
 *
 * @param more Settings beside the common ones, by their name in the script.
 * @param defaults Defaults, as text, that differ from the rows'.
 */
export function readSettings(more = [], defaults = {}) {
  const settings = { problems: [] };
  for (const name of [...COMMON, ...more]) {
    const row = ROWS[name];
    const normally = defaults[name] || row.default;
    const given = __ENV[row.env];
    try {
      settings[name] = given === undefined && normally === ""
        ? ""
        : row.parse(given === undefined ? normally : given);
    } catch (error) {
      settings.problems.push(`${row.env} ${error.message}, not "${given}"`);
      settings[name] = row.parse(normally);
    }
  }
  return settings;
}
