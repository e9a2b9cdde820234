/**
 * What viewers of a running stack are shown: the page, the keys and `ctl` all
 * read these values, and nothing else. All of them are plain JSON.
 */

/** The two listeners: balanced per call, and per connection. */
export type Listener = "l7" | "l4";

/** Both, in the order in which they are shown. */
export const LISTENERS: readonly Listener[] = ["l7", "l4"];

/** What a caller may ask for again and again. */
export const CALL_KINDS = ["unary", "stream", "chat"] as const;

/** What a caller asks for again and again. */
export type CallKind = (typeof CALL_KINDS)[number];

/** The load that the stack's own callers make. */
export interface LoadState {
  /** Calls a second at each listener that is loaded; 0 makes none. */
  readonly ratePerS: number;
  /** Connections to each listener. */
  readonly connections: number;
  readonly kind: CallKind;
  /** How long a server works on a call, or on a message. */
  readonly workMs: number;
  /** Characters of each request's text. */
  readonly messageCharacters: number;
  readonly listeners: readonly Listener[];
}

/** What a server's process does. */
export type ProcessState = "running" | "paused" | "starting" | "stopped";

/** What Envoy makes of a server. */
export type EnvoyView =
  | "healthy"
  | "failing checks"
  | "ejected"
  | "draining"
  | "not in DNS"
  | "unknown";

/** One server. */
export interface ServerState {
  readonly name: string;
  readonly address: string;
  readonly process: ProcessState;
  readonly envoy: EnvoyView;
  /** When Envoy may take it back, milliseconds since 1970; null: not ejected. */
  readonly ejectedUntilMs: number | null;
  /** The kinds of its faults, and when each is over. */
  readonly faults: readonly {
    readonly kind: string;
    readonly untilMs: number;
  }[];
  /** Calls that Envoy has on it now. */
  readonly active: number;
  /** What it has counted itself, in all of its processes. */
  readonly started: number;
  readonly ok: number;
}

/** Envoy's own figures, of the balanced cluster. */
export interface EnvoyState {
  readonly isLive: boolean;
  readonly total: number;
  readonly healthy: number;
  readonly isPanicking: boolean;
  readonly ejectionsActive: number;
  readonly ejections: number;
  /** Names of the circuit breakers that are open, for example "rq_open". */
  readonly openBreakers: readonly string[];
  readonly retries: number;
  readonly retriesOverBudget: number;
  /** How many retries the budget allows at once. */
  readonly retriesAllowed: number;
  readonly overflows: number;
}

/** One figure of Envoy beside the lines of its configuration that govern it. */
export interface ConfigExcerpt {
  /** The field of `EnvoyState`. */
  readonly figure: keyof EnvoyState;
  /** The first of the lines, from 1. */
  readonly line: number;
  readonly text: string;
}

/** A protection that can be switched off. */
export interface ProtectionState {
  readonly id: string;
  readonly title: string;
  /** What goes wrong without it, in a sentence. */
  readonly about: string;
  readonly isOn: boolean;
}

/** What each side has counted of the calls since the start. */
export interface Ledgers {
  /** Calls through each listener that our callers have ended. */
  readonly callers: Readonly<Record<Listener, number>>;
  /** Of these, calls that were not answered with OK. */
  readonly lost: Readonly<Record<Listener, number>>;
  /** Calls that Envoy has counted on the balanced listener. */
  readonly envoy: number;
  /** Tries that it has sent to servers; retries are tries, too. */
  readonly envoyTries: number;
  /** Calls that servers have started. */
  readonly servers: number;
  /** Whether they agree, and if not, what is between them. */
  readonly verdict: string;
  readonly agrees: boolean | null;
}

/** Something that was asked for, or that happened, and what followed. */
export interface StoryState {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Who asked: "page", "keys", "ctl", or "" if nobody did. */
  readonly who: string;
  readonly text: string;
  /** Whether more is still to be told. */
  readonly isOpen: boolean;
}

/** Everything but calls and curves. */
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
  /** The action that is being carried out, or "". */
  readonly busy: string;
}

/** One call that has ended. */
export interface SeenCall {
  readonly listener: Listener;
  /**
   * The servers that it was given to, in order; none if there was none, and ""
   * for one that nobody names, as Envoy could not connect to it.
   */
  readonly servers: readonly string[];
  readonly status: string;
  /** Envoy's response flags, for example "UF,URX"; "" if there are none. */
  readonly flags: string;
  readonly latencyMs: number;
}

/** What happened in one second. */
export interface Second {
  /** Its beginning, milliseconds since 1970. */
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

/** Calls of the last moment, to be drawn. */
export interface CallsFrame {
  readonly calls: readonly SeenCall[];
  /** How many there were; more than `calls` when those are a sample. */
  readonly total: number;
  /** Open streams by server, through each listener. */
  readonly streams: Readonly<
    Record<Listener, Readonly<Record<string, number>>>
  >;
}

/** The messages of the event stream, by name. */
export interface Messages {
  /** Once at the start: the last five minutes and all stories. */
  readonly hello: {
    readonly state: State;
    readonly seconds: readonly Second[];
    readonly stories: readonly StoryState[];
    readonly excerpts: readonly ConfigExcerpt[];
  };
  readonly state: State;
  readonly second: Second;
  readonly calls: CallsFrame;
  /** A new story, or one that has changed. */
  readonly story: StoryState;
  /** The stack is being stopped; nothing more will come. */
  readonly end: Record<string, never>;
}
