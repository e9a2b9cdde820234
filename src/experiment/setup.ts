/** What an experiment runs on: the stack that is started, and its load. */
import type { ConfigChange } from "../stack/envoy_config.ts";
import type { ManifestChange } from "../stack/manifests.ts";
import type { DiscoveryKind, TlsOptions } from "../stack/native.ts";

/** A named change of Envoy's configuration. */
export interface NamedChange {
  /** For example "no retries". */
  readonly name: string;
  /** Whether it takes something away, so that it may be gone already. */
  readonly isRemoval?: boolean;
  readonly apply: ConfigChange;
}

/** A named change of the manifests of deploy/kubernetes. */
export interface NamedManifestChange {
  /** For example "no preStop". */
  readonly name: string;
  readonly apply: ManifestChange;
}

/** The stack that is started. */
export interface Setup {
  readonly servers: number;
  /** Changes of envoy.yaml, in this order (default none). */
  readonly changes?: readonly NamedChange[];
  /** Extra flags for every server (default none). */
  readonly serverFlags?: readonly string[];
  /**
   * Source file of a program started in place of every server, relative to the
   * project's folder (default: the server itself). On Compose it is bundled,
   * runs in the runtime's image, and may use 1 GiB.
   */
  readonly serverProgram?: string;
  /** What is special on Kubernetes; other stacks have nothing of it. */
  readonly kubernetes?: {
    /** How many Envoys (default 2). */
    readonly envoys?: number;
    /** Changes of the manifests, in this order (default none). */
    readonly changes?: readonly NamedManifestChange[];
  };
  /** How Envoy finds the servers (default "dns"); the native one has others. */
  readonly discovery?: DiscoveryKind;
  /** TLS with client certificates (default: plain text); not on Compose. */
  readonly tls?: TlsOptions;
  /** Envoy's worker threads (default 1). */
  readonly concurrency?: number;
  /**
   * How many servers Envoy must find healthy before the load starts (default
   * all). With fewer, the invariant about health at the start is dropped.
   */
  readonly healthyAtStart?: number;
  /**
   * How many addresses Envoy knows them by (default one for each). Then that
   * many must be healthy, and a host's calls are not those of a server.
   */
  readonly addresses?: number;
  /** Whether Envoy may panic (default false). */
  readonly mayPanic?: boolean;
  /**
   * With timers later than this the machine counts as busy (default 60 ms); more
   * where the run's own work delays them.
   */
  readonly timersLateMsMax?: number;
}

/** The recorder's load: SayHello at a constant rate, in an open loop. */
export interface Load {
  /** Calls a second, over all connections; 0 makes none. */
  readonly ratePerS: number;
  readonly durationMs: number;
  /** How long a server works on each call (default 0). */
  readonly workMs?: number;
  /** Deadline of each call (default 2000). */
  readonly deadlineMs?: number;
  /** Connections, used round robin (default 4). */
  readonly connections?: number;
  /** Which listener is called (default "l7"). */
  readonly listener?: "l7" | "l4";
}
