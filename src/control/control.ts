/**
 * The control of a running stack. It performs what the keys, `ctl` and the page
 * ask for, one action after another, and reports each as a story; it also
 * collects everything that they show.
 */
import type { Failure } from "../core/errors.ts";
import type { ExitStatus } from "../io/child.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import type { GoverningLines } from "../stack/governing.ts";
import type { Stack } from "../stack/stack.ts";
import { checkAction, Refusal } from "./actions.ts";
import { callOfAccessLog, type ClientEvent, seenCall } from "./calls.ts";
import { Callers, LOAD_AT_FIRST } from "./callers.ts";
import { excerptsOf } from "./excerpts.ts";
import { FrameOfCalls } from "./frame.ts";
import { Latencies } from "./latencies.ts";
import { LOOK_MS, Looks } from "./looks.ts";
import { Performer } from "./performer.ts";
import { PROTECTIONS } from "./protections.ts";
import { reconcileLedgers } from "./reconcile.ts";
import { Seconds } from "./seconds.ts";
import type {
  ConfigExcerpt,
  Listener,
  LoadState,
  Messages,
  State,
} from "./state.ts";
import { Stories } from "./stories.ts";
import { Watch } from "./watch.ts";

/** How often calls are sent to viewers. */
const FRAME_MS = 100;

/** Only a runaway program has more requests waiting. */
const WAITING_MAX = 20;

/** Receives messages; those that nobody receives are not made. */
export type Viewer = {
  readonly [K in keyof Messages]?: (message: Messages[K]) => void;
};

/** Options of a control. */
export interface ControlOptions {
  readonly stack: Stack;
  /** "native", "compose" or "kubernetes". */
  readonly stackName: string;
  /** Envoy's configuration, before the stack's own changes. */
  readonly config: EnvoyConfig;
  /** The lines of its file that govern what Envoy's figures show. */
  readonly lines: readonly GoverningLines[];
  readonly serversMax: number;
  /** The initial load (default: one call a second through the L7 listener). */
  readonly load?: LoadState;
  /** How often servers' counters are read (default 1000 ms). */
  readonly countsIntervalMs?: number;
  /** Receives our callers' events. */
  readonly onEvent: (listener: Listener, event: ClientEvent) => void;
  /** The callers have ended: they were done, or they failed. */
  readonly onCallersEnd: (why: Failure | "done") => void;
  /** A server could not be restarted. */
  readonly onFailure: (failure: Failure) => void;
}

/** The control of one stack. */
export class Control {
  readonly #options: ControlOptions;
  readonly #stack: Stack;
  #excerpts: readonly ConfigExcerpt[];
  readonly #watch: Watch;
  readonly #callers: Callers;
  readonly #stories: Stories;
  readonly #looks: Looks;
  readonly #performer: Performer;
  readonly #seconds = new Seconds(Date.now());
  readonly #latencies = new Latencies();
  readonly #frame = new FrameOfCalls();
  readonly #viewers = new Set<Viewer>();
  readonly #counted = { callers: { l7: 0, l4: 0 }, lost: { l7: 0, l4: 0 } };
  /** The servers of open streams, by caller and call. */
  readonly #open = {
    l7: new Map<string, string>(),
    l4: new Map<string, string>(),
  };
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #overflows = 0;
  #waiting = 0;
  #done: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#stack = options.stack;
    const { config, lines } = options;
    this.#excerpts = excerptsOf(lines, config, config);
    this.#watch = new Watch(options.stack, config);
    this.#stories = new Stories((story) => this.#tell("story", () => story));
    this.#callers = new Callers(
      { l7: options.stack.endpoint, l4: options.stack.l4Endpoint },
      options.load ?? LOAD_AT_FIRST,
      {
        onEvent: (...event) => this.#noteEvent(...event),
        onEnd: (_, why) => options.onCallersEnd(why),
      },
      options.stack.certificates?.clientFolder,
    );
    this.#looks = new Looks(
      this.#watch,
      () => this.#counted.lost,
      () => this.#onLook(),
    );
    this.#performer = new Performer({
      ...{ stack: options.stack, config },
      ...{ callers: this.#callers, watch: this.#watch },
      ...{ looks: this.#looks, stories: this.#stories },
      onConfig: (now) => {
        this.#excerpts = excerptsOf(lines, config, now);
        this.#tell("excerpts", () => this.#excerpts);
      },
      onFailure: options.onFailure,
    });
  }

  /** Whether Envoy has been replaced. */
  get hasReplacedEnvoy(): boolean {
    return this.#performer.hasReplacedEnvoy;
  }

  get load(): LoadState {
    return this.#callers.load;
  }

  /** Starts the callers and the polling. */
  start(): void {
    this.#callers.start();
    this.#every(FRAME_MS, () => this.#sendFrame());
    this.#every(LOOK_MS, () => void this.#looks.look());
    this.#every(1000, () => this.#nextSecond());
    this.#every(
      this.#options.countsIntervalMs ?? 1000,
      () => void this.#watch.askServers(),
    );
  }

  /** Stops the polling and the callers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#tell("end", () => ({}));
    this.#timers.forEach(clearInterval);
    this.#looks.close();
    this.#performer.close();
    await this.#callers.stop();
  }

  /** Everything that a new viewer needs. */
  hello(): Messages["hello"] {
    return {
      state: this.state(),
      seconds: this.#seconds.kept,
      stories: this.#stories.kept,
      excerpts: this.#excerpts,
    };
  }

  /** Adds a viewer. @returns A function that removes it. */
  addViewer(viewer: Viewer): () => void {
    this.#viewers.add(viewer);
    return () => this.#viewers.delete(viewer);
  }

  /** Handles a line that Envoy printed. */
  noteEnvoyLine(line: string): void {
    const call = callOfAccessLog(line, (one) => this.#watch.nameOf(one));
    if (call === undefined) return;
    this.#seconds.addCall(call);
    this.#frame.add(call);
  }

  /** Handles a server that ended without being stopped. */
  noteCrash(server: string, status: ExitStatus): void {
    if (!this.#isClosed) this.#performer.noteCrash(server, status);
  }

  /** Everything that is shown besides calls and curves. */
  state(): State {
    const { stack, stackName, serversMax } = this.#options;
    const { received, active, tries } = this.#watch.counts;
    const servers = this.#watch.servers().map((one) => ({
      ...one,
      latencyMs: this.#latencies.of(one.name),
    }));
    return {
      atMs: Date.now(),
      stack: stackName,
      endpoints: { l7: stack.endpoint, l4: stack.l4Endpoint },
      adminUrl: stack.admin.url,
      servers,
      serversMax,
      envoy: this.#watch.envoy,
      load: this.#callers.load,
      protections: this.#performer.protections,
      ledgers: reconcileLedgers({
        callers: { ...this.#counted.callers },
        lost: { ...this.#counted.lost },
        envoy: received,
        envoyTries: tries,
        servers: this.#watch.started(),
        isBusy: active > 0 || this.#callers.load.ratePerS > 0,
        isCut: this.#performer.isCut,
      }),
      busy: this.#performer.busy,
    };
  }

  /**
   * Performs a request after all earlier ones.
   *
   * @param who "page", "keys" or "ctl".
   * @param wish Anything; checkAction() checks it.
   * @returns The id of the story about it.
   * @throws {Refusal} When it is refused; nothing has changed then.
   */
  async ask(who: string, wish: unknown): Promise<number> {
    const offer = () => ({
      servers: this.#stack.servers().map(({ name }) => name),
      serversMax: this.#options.serversMax,
      protections: PROTECTIONS.map(({ id }) => id),
    });
    checkAction(wish, offer());
    if (this.#waiting >= WAITING_MAX) {
      throw new Refusal(
        `${WAITING_MAX} actions are waiting already; try again later`,
      );
    }
    this.#waiting += 1;
    const work = this.#done.then(async () => {
      // The actions before it may have changed what the stack offers.
      if (this.#isClosed) throw new Refusal("The stack is being stopped");
      return await this.#performer.perform(who, checkAction(wish, offer()));
    });
    this.#done = work.catch(() => {}).then(() => {
      this.#waiting -= 1;
    });
    return await work;
  }

  #onLook(): void {
    const { overflows } = this.#watch.envoy;
    this.#seconds.addOverflows(Math.max(0, overflows - this.#overflows));
    this.#overflows = overflows;
    this.#tell("state", () => this.state());
  }

  #noteEvent(listener: Listener, raw: ClientEvent, caller: number): void {
    const event = "server" in raw && this.#stack.nameOf !== undefined
      ? { ...raw, server: this.#stack.nameOf(raw.server) }
      : raw;
    this.#options.onEvent(listener, event);
    const open = this.#open[listener];
    if (event.type === "open") {
      open.set(`${caller} ${event.call}`, event.server);
    }
    if (event.type !== "call") return;
    open.delete(`${caller} ${event.call}`);
    const call = seenCall(event, listener);
    this.#counted.callers[listener] += 1;
    if (call.status !== "OK") this.#counted.lost[listener] += 1;
    this.#seconds.addLatency(listener, call.latencyMs);
    if (event.kind === "reply") {
      this.#latencies.add(event.server, call.latencyMs);
    }
    // Envoy's access log covers the balanced listener's calls, others'
    // included.
    if (listener === "l7") return;
    this.#seconds.addCall(call);
    this.#frame.add(call);
  }

  #nextSecond(): void {
    this.#latencies.next();
    const second = this.#seconds.next(Date.now());
    this.#tell("second", () => second);
  }

  #sendFrame(): void {
    const frame = this.#frame.take();
    if (frame === undefined && this.#open.l7.size + this.#open.l4.size === 0) {
      return;
    }
    this.#tell("calls", () => ({
      ...(frame ?? { calls: [], total: 0 }),
      streams: {
        l7: countOf(this.#open.l7.values()),
        l4: countOf(this.#open.l4.values()),
      },
    }));
  }

  #tell<K extends keyof Messages>(name: K, make: () => Messages[K]): void {
    const viewers = [...this.#viewers].filter((viewer) => viewer[name]);
    if (viewers.length === 0) return;
    const message = make();
    for (const viewer of viewers) viewer[name]?.(message);
  }

  #every(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms));
  }
}

/** Counts each name. */
function countOf(names: Iterable<string>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
