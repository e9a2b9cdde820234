/** The load tests. */
import type { SettingName } from "./setting_rows.ts";

/** A load test. */
export interface Shape {
  /** The script in loadtest/, without ".js". */
  readonly script: string;
  /** The question that it answers. */
  readonly question: string;
  /** Settings that not every load test reads, and this one does. */
  readonly reads: readonly SettingName[];
  /** Defaults, as text, that differ from the settings' own. */
  readonly defaults: Readonly<Partial<Record<SettingName, string>>>;
}

const ALL = {
  "constant-rate": {
    script: "grpc",
    question: "Does every server get the same share of the calls?",
    reads: [],
    defaults: {},
  },
  breakpoint: {
    script: "breakpoint",
    question: "At which rate does p99 exceed its bound?",
    reads: ["rateMaxPerS", "steps"],
    defaults: { durationMs: "5s", vus: "199" },
  },
  spike: {
    script: "spike",
    question: "Does a spike have after-effects?",
    reads: ["spikeRatePerS", "spikeP99Ms"],
    defaults: { p95Ms: "1000", vus: "499" },
  },
  soak: {
    script: "soak",
    question: "Is the last quarter of a long run as good as the first?",
    reads: [],
    defaults: { ratePerS: "100", durationMs: "30m" },
  },
  streams: {
    script: "streams",
    question: "How are streams balanced, and does every message arrive?",
    reads: ["messages", "intervalMs"],
    defaults: { ratePerS: "20" },
  },
  reconnect: {
    script: "reconnect",
    question: "What do reconnecting clients hide?",
    reads: [],
    defaults: { ratePerS: "100" },
  },
  connections: {
    script: "connections",
    question: "Are a few connections enough, fewer than workers or servers?",
    reads: ["connections", "callsAtOnce"],
    defaults: {},
  },
} satisfies Readonly<Record<string, Shape>>;

/** A load test's short name. */
export type ShapeName = keyof typeof ALL;

/** The load tests by their short names. */
export const SHAPES: Readonly<Record<ShapeName, Shape>> = ALL;

/** Whether there is a load test of this name. */
export function isShapeName(name: string): name is ShapeName {
  return Object.hasOwn(SHAPES, name);
}

/** The default load test. */
export const SHAPE_DEFAULT: ShapeName = "constant-rate";

/** The default on an L4 listener: few connections show what it does. */
export const SHAPE_DEFAULT_L4: ShapeName = "connections";
