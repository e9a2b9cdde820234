/**
 * What viewers of a running stack see: the page, the keys and `ctl` read these
 * values and nothing else. All are plain JSON.
 */

/** The two listeners: balanced per call, and per connection. */
export type Listener = "l7" | "l4";

/** Both, in the order in which they are shown. */
export const LISTENERS: readonly Listener[] = ["l7", "l4"];

/** The kinds of calls. */
export const CALL_KINDS = ["unary", "stream", "chat"] as const;

/** A kind of call. */
export type CallKind = (typeof CALL_KINDS)[number];

/** The load that the stack's own callers make. */
export interface LoadState {
  /** Calls a second to each listener under load; 0 makes none. */
  readonly ratePerS: number;
  /** Connections to each listener. */
  readonly connections: number;
  readonly kind: CallKind;
  /** How long a server works on a call, or on a message. */
  readonly workMs: number;
  /** Length of each request's text. */
  readonly messageCharacters: number;
  readonly listeners: readonly Listener[];
}

/** The state of a server's process. */
export type ProcessState = "running" | "paused" | "starting" | "stopped";

/** Envoy's view of a server. */
export type EnvoyView =
  | "healthy"
  | "failing checks"
  | "ejected"
  | "draining"
  | "not in DNS"
  | "unknown";

/** Latencies of a server in milliseconds, as our callers saw them. */
export interface ServerLatency {
  readonly p50: number;
  readonly p99: number;
}

/** One server. */
export interface ServerState {
  readonly name: string;
  readonly address: string;
  readonly process: ProcessState;
  readonly envoy: EnvoyView;
  /**
   * When its ejection may end, in milliseconds since 1970; null if not ejected.
   */
  readonly ejectedUntilMs: number | null;
  /** Its faults by kind, and when each ends. */
  readonly faults: readonly {
    readonly kind: string;
    readonly untilMs: number;
  }[];
  /** Calls in flight on it, by Envoy's count. */
  readonly active: number;
  /** Over the last ten seconds; null if it answered none of our callers. */
  readonly latencyMs: ServerLatency | null;
  /** Its own counts, over all of its processes. */
  readonly started: number;
  readonly ok: number;
}

/** Envoy's figures about the balanced cluster. */
export interface EnvoyState {
  readonly isLive: boolean;
  readonly total: number;
  readonly healthy: number;
  readonly isPanicking: boolean;
  readonly ejectionsActive: number;
  readonly ejections: number;
  /** Names of the open circuit breakers, for example "rq_open". */
  readonly openBreakers: readonly string[];
  readonly retries: number;
  readonly retriesOverBudget: number;
  /** How many concurrent retries are allowed now. */
  readonly retriesAllowed: number;
  /**
   * How many more could start. Envoy publishes the exact number only without a
   * retry budget; with one it tells whether a few are running, which bounds it.
   */
  readonly retriesLeft: { readonly min: number; readonly max: number };
  readonly overflows: number;
}

/** A figure of Envoy with the lines of its configuration that govern it. */
export interface ConfigExcerpt {
  /** The field of `EnvoyState`. */
  readonly figure: keyof EnvoyState;
  /** The file's name, as it was typed. */
  readonly file: string;
  /** The number of the first line, from 1. */
  readonly line: number;
  readonly text: string;
  /**
   * What Envoy has in their place while protections are switched: YAML, "" if
   * nothing; null while these lines are in force.
   */
  readonly instead: string | null;
}

/** A protection that can be switched off. */
export interface ProtectionState {
  readonly id: string;
  readonly title: string;
  /** What goes wrong without it, in a sentence. */
  readonly about: string;
  readonly isOn: boolean;
}

/** Each side's count of the calls since the start. */
export interface Ledgers {
  /** Our callers' finished calls through each listener. */
  readonly callers: Readonly<Record<Listener, number>>;
  /** How many of these did not end with OK. */
  readonly lost: Readonly<Record<Listener, number>>;
  /** Calls that Envoy counted on the balanced listener. */
  readonly envoy: number;
  /** Attempts that it sent to servers, retries included. */
  readonly envoyTries: number;
  /** Calls that servers started. */
  readonly servers: number;
  /** Whether they agree, and if not, how they differ. */
  readonly verdict: string;
  readonly agrees: boolean | null;
}

/** A request or an incident, and what followed. */
export interface StoryState {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Who asked: "page", "keys", "ctl", or "" if nobody did. */
  readonly who: string;
  readonly text: string;
  /** Whether more is to come. */
  readonly isOpen: boolean;
}

/** Everything except calls and curves. */
export interface State {
  readonly atMs: number;
  readonly stack: string;
  readonly endpoints: Readonly<Record<Listener, string>>;
  readonly adminUrl: string;
  readonly servers: readonly ServerState[];
  readonly serversMax: number;
  readonly envoy: EnvoyState;
  readonly load: LoadState;
  readonly protections: readonly ProtectionState[];
  readonly ledgers: Ledgers;
  /** The action in progress, or "". */
  readonly busy: string;
}

/** One call that has ended. */
export interface SeenCall {
  readonly listener: Listener;
  /**
   * The servers that it was sent to, in order; "" for one that Envoy does not
   * name because it could not connect.
   */
  readonly servers: readonly string[];
  readonly status: string;
  /** Envoy's response flags, for example "UF,URX"; "" if there are none. */
  readonly flags: string;
  readonly latencyMs: number;
}

/** What happened in one second. */
export interface Second {
  /** Its start in milliseconds since 1970. */
  readonly atMs: number;
  /** Answers by server, through each listener. */
  readonly answers: Readonly<
    Record<Listener, Readonly<Record<string, number>>>
  >;
  /** Latencies as our callers saw them; null where they made no call. */
  readonly latencyMs: Readonly<
    Record<
      Listener,
      | { readonly p50: number; readonly p90: number; readonly p99: number }
      | null
    >
  >;
  /** Calls that failed, by status and response flags: "UNAVAILABLE UF". */
  readonly errors: Readonly<Record<string, number>>;
  readonly retries: number;
  readonly overflows: number;
}

/** The calls of the last moment, to draw. */
export interface CallsFrame {
  readonly calls: readonly SeenCall[];
  /** How many there were; more than `calls` if that is a sample. */
  readonly total: number;
  /** Open streams by server, through each listener. */
  readonly streams: Readonly<
    Record<Listener, Readonly<Record<string, number>>>
  >;
}

/** The messages of the event stream, by name. */
export interface Messages {
  /** Sent once at the start: the last five minutes and all stories. */
  readonly hello: {
    readonly state: State;
    readonly seconds: readonly Second[];
    readonly stories: readonly StoryState[];
    readonly excerpts: readonly ConfigExcerpt[];
  };
  readonly state: State;
  readonly second: Second;
  readonly calls: CallsFrame;
  /** Sent when another configuration is in force. */
  readonly excerpts: readonly ConfigExcerpt[];
  /** A new or changed story. */
  readonly story: StoryState;
  /** The stack is stopping; nothing more will come. */
  readonly end: Record<string, never>;
}
