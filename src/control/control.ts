/**
 * The control of a running stack. It performs what the keys, `ctl` and the page
 * ask for, one action after another, and reports each as a story; it also
 * collects everything that they show.
 */
import { Failure, messageOf } from "../core/errors.ts";
import { at } from "../core/yaml.ts";
import { type ExitStatus, exitWords } from "../io/child.ts";
import { grpcCluster } from "../experiment/changes.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { pause } from "../io/wait.ts";
import { type Action, checkAction, Refusal } from "./actions.ts";
import { callOfAccessLog, type ClientEvent, seenCall } from "./calls.ts";
import { Callers, LOAD_AT_FIRST } from "./callers.ts";
import { excerptsOf } from "./excerpts.ts";
import { Follow, lostWords, type Sight } from "./follow.ts";
import { FrameOfCalls } from "./frame.ts";
import {
  absentIn,
  configWith,
  DRAINING,
  PROTECTIONS,
  protectionStates,
} from "./protections.ts";
import { reconcileLedgers } from "./reconcile.ts";
import { Seconds } from "./seconds.ts";
import type {
  ConfigExcerpt,
  Listener,
  LoadState,
  Messages,
  State,
} from "./state.ts";
import { Stories, type Story } from "./stories.ts";
import { type ConfiguredLimits, Watch } from "./watch.ts";

/**
 * Long enough to see Envoy take the server out of rotation, short enough to
 * wait for.
 */
const RESTART_DELAY_MS = 3000;

/** How often calls are sent to viewers. */
const FRAME_MS = 100;

/** How often Envoy is polled. */
const LOOK_MS = 250;

/** The shortest time between two changes of the load. */
const LOAD_PAUSE_MS = 200;

/** Only a runaway program has more requests waiting. */
const WAITING_MAX = 20;

type Timer = ReturnType<typeof setTimeout>;

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
  /** The text that it was parsed from. */
  readonly configText: string;
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
  readonly #excerpts: readonly ConfigExcerpt[];
  readonly #absent: ReadonlySet<string>;
  readonly #watch: Watch;
  readonly #callers: Callers;
  readonly #stories: Stories;
  readonly #seconds = new Seconds(Date.now());
  readonly #frame = new FrameOfCalls();
  readonly #viewers = new Set<Viewer>();
  readonly #follows = new Map<Story, { server: string; follow: Follow }>();
  readonly #counted = { callers: { l7: 0, l4: 0 }, lost: { l7: 0, l4: 0 } };
  /** The servers of open streams, by caller and call. */
  readonly #open = {
    l7: new Map<string, string>(),
    l4: new Map<string, string>(),
  };
  readonly #timers: Timer[] = [];
  readonly #restarts = new Map<string, Timer>();
  #turned: ReadonlySet<string> = new Set();
  #overflows = 0;
  #isCut = false;
  #busy = "";
  /** The story of the action that is being performed. */
  #begun: { readonly story: Story; readonly words: string } | undefined;
  #waiting = 0;
  #done: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #hasReplacedEnvoy = false;
  #isLooking = false;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.#stack = options.stack;
    this.#excerpts = excerptsOf(options.configText);
    this.#absent = absentIn(options.config);
    this.#watch = new Watch(options.stack, limitsOf(options.config));
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
  }

  /** Whether Envoy has been replaced. */
  get hasReplacedEnvoy(): boolean {
    return this.#hasReplacedEnvoy;
  }

  get load(): LoadState {
    return this.#callers.load;
  }

  /** Starts the callers and the polling. */
  start(): void {
    this.#callers.start();
    this.#every(FRAME_MS, () => this.#sendFrame());
    this.#every(LOOK_MS, () => void this.#look());
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
    this.#restarts.forEach(clearTimeout);
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
    if (this.#isClosed) return;
    this.#isCut ||= status.signal !== null;
    const why = `${server} ended unexpectedly (${exitWords(status)})`;
    this.#follow(this.#stories.begin("", why, true), server, why);
    this.#startLater(server);
  }

  /** Everything that is shown besides calls and curves. */
  state(): State {
    const { stack, stackName, serversMax } = this.#options;
    const { received, active, tries } = this.#watch.counts;
    const servers = this.#watch.servers();
    return {
      atMs: Date.now(),
      stack: stackName,
      endpoints: { l7: stack.endpoint, l4: stack.l4Endpoint },
      adminUrl: stack.admin.url,
      servers,
      serversMax,
      envoy: this.#watch.envoy,
      load: this.#callers.load,
      protections: protectionStates(this.#turned, this.#absent),
      ledgers: reconcileLedgers({
        callers: { ...this.#counted.callers },
        lost: { ...this.#counted.lost },
        envoy: received,
        envoyTries: tries,
        servers: this.#watch.started(),
        isBusy: active > 0 || this.#callers.load.ratePerS > 0,
        isCut: this.#isCut,
      }),
      busy: this.#busy,
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
      return await this.#do(who, checkAction(wish, offer()));
    });
    this.#done = work.catch(() => {}).then(() => {
      this.#waiting -= 1;
      this.#busy = "";
    });
    return await work;
  }

  /** Does it; a story that has begun also tells when that fails. */
  async #do(who: string, action: Action): Promise<number> {
    this.#begun = undefined;
    try {
      return await this.#perform(who, action);
    } catch (error) {
      this.#tellFailure(messageOf(error));
      throw error;
    }
  }

  #tellFailure(reason: string): void {
    if (this.#begun === undefined) return;
    const { story, words } = this.#begun;
    this.#follows.delete(story);
    story.tell(`${words}; it failed: ${reason}`, false);
  }

  /** Begins the story of an action that takes its time. */
  #begin(who: string, words: string): Story {
    const story = this.#stories.begin(who, words, true);
    this.#begun = { story, words };
    this.#busy = words;
    return story;
  }

  async #perform(who: string, action: Action): Promise<number> {
    switch (action.do) {
      case "scale":
        return await this.#scale(who, action.count);
      case "fault": {
        const { server, fault } = action;
        await this.#stack.fault(server, fault);
        this.#watch.noteFault(server, fault);
        const what = `${server} has the fault "${fault.kind}" for ` +
          `${fault.durationMs / 1000} s`;
        return this.#follow(this.#stories.begin(who, what, true), server, what);
      }
      case "clear":
        await this.#stack.clearFaults(action.server);
        this.#watch.forgetFaults(action.server);
        return this.#stories.begin(who, `${action.server} has no fault`).id;
      case "restart-envoy":
        return await this.#restartEnvoy(who);
      case "load": {
        const load = { ...this.#callers.load, ...action.load };
        this.#busy = loadWords(load);
        this.#callers.change(load);
        // Each change starts programs, so the rate must be limited.
        await pause(LOAD_PAUSE_MS);
        return this.#stories.begin(who, loadWords(load)).id;
      }
      case "protect":
        return await this.#protect(who, action.id, action.isOn);
      default:
        return await this.#doToServer(who, action.do, action.server);
    }
  }

  async #doToServer(
    who: string,
    what: "terminate" | "kill" | "pause" | "resume" | "restart",
    server: string,
  ): Promise<number> {
    const stack = this.#stack;
    const words = `${server} ${DONE_WORDS[what]}`;
    const story = this.#begin(who, words);
    this.#follow(story, server, words);
    if (what === "pause") {
      await stack.pause(server);
      this.#watch.note(server, "paused");
    } else if (what === "resume") {
      await stack.resume(server);
      this.#watch.note(server, undefined);
    } else {
      const isHard = what === "kill" || this.#turned.has(DRAINING);
      this.#isCut ||= isHard;
      this.#watch.note(server, isHard ? undefined : "leaving");
      await stack.stop(server, isHard ? "SIGKILL" : "SIGTERM");
      this.#watch.note(server, undefined);
      this.#watch.forgetFaults(server);
      if (what === "restart") await this.#startAgain(server);
      else this.#startLater(server);
    }
    return story.id;
  }

  async #scale(who: string, count: number): Promise<number> {
    const before = this.#stack.servers().length;
    const words = `scaled from ${before} to ${count}`;
    const story = this.#begin(who, words);
    const startMs = performance.now();
    const { lost } = this.#sums();
    const leaving = this.#stack.servers().slice(count);
    for (const { name } of leaving) this.#watch.note(name, "leaving");
    if (this.#turned.has(DRAINING)) {
      this.#isCut ||= leaving.length > 0;
      await Promise.all(
        leaving.map(({ name }) => this.#stack.stop(name, "SIGKILL")),
      );
    }
    await this.#stack.scale(count);
    await this.#until(() => {
      const { total, healthy } = this.#watch.envoy;
      return total === count && healthy === count;
    });
    story.tell(
      `${words}; Envoy sees ${this.#watch.envoy.healthy} healthy after ` +
        `${sinceWords(startMs)}; ${lostWords(lost, this.#sums().lost)}`,
      false,
    );
    return story.id;
  }

  async #restartEnvoy(who: string): Promise<number> {
    const words = "Envoy stopped without draining";
    const story = this.#begin(who, words);
    const startMs = performance.now();
    const { lost } = this.#sums();
    await this.#withoutLooking(async () => {
      await this.#stack.stopEnvoy("SIGTERM");
      await this.#stack.startEnvoy();
    });
    await this.#until(() => this.#watch.envoy.isLive);
    story.tell(
      `${words}; live again after ${sinceWords(startMs)}; ` +
        `${lostWords(lost, this.#sums().lost)}`,
      false,
    );
    return story.id;
  }

  async #protect(who: string, id: string, isOn: boolean): Promise<number> {
    const protection = PROTECTIONS.find((one) => one.id === id);
    if (protection === undefined) throw new Refusal(`There is no "${id}"`);
    const { title, isOnAtFirst } = protection;
    if (this.#absent.has(id)) {
      throw new Refusal(
        `The Envoy configuration of this run has none to switch: ${title}`,
      );
    }
    const words = `${title} switched ${isOn ? "on" : "off"}`;
    const turned = new Set(this.#turned);
    if (isOn === isOnAtFirst) turned.delete(id);
    else turned.add(id);
    if (protection.turn === undefined) {
      this.#turned = turned;
      return this.#stories.begin(who, words).id;
    }
    let config: EnvoyConfig;
    try {
      config = configWith(this.#options.config, turned);
    } catch (error) {
      throw new Refusal(
        `This does not fit the Envoy configuration: ${messageOf(error)}`,
        { cause: error },
      );
    }
    const story = this.#begin(who, words);
    const startMs = performance.now();
    const { lost } = this.#sums();
    await this.#withoutLooking(async () => {
      await this.#stack.replaceEnvoy(config);
      this.#hasReplacedEnvoy = true;
    });
    this.#turned = turned;
    await this.#until(() => this.#watch.envoy.isLive);
    story.tell(
      `${words}; Envoy replaced in ${sinceWords(startMs)}, ` +
        `${lostWords(lost, this.#sums().lost)}`,
      false,
    );
    return story.id;
  }

  #startLater(server: string): void {
    clearTimeout(this.#restarts.get(server));
    this.#restarts.set(
      server,
      setTimeout(() => {
        this.#restarts.delete(server);
        const isThere = this.#stack.servers()
          .some(({ name }) => name === server);
        if (isThere && !this.#isClosed) void this.#startAgain(server);
      }, RESTART_DELAY_MS),
    );
  }

  async #startAgain(server: string): Promise<void> {
    clearTimeout(this.#restarts.get(server));
    this.#watch.note(server, "starting");
    this.#watch.forgetFaults(server);
    try {
      await this.#stack.start(server);
    } catch (error) {
      if (!this.#isClosed) this.#options.onFailure(Failure.from(error));
    } finally {
      this.#watch.note(server, undefined);
    }
  }

  /** Reports on a server until it is back. @returns The story's id. */
  #follow(story: Story, server: string, what: string): number {
    this.#follows.set(story, {
      server,
      follow: new Follow(what, this.#sight(server)),
    });
    return story.id;
  }

  #sight(server: string): Sight {
    const found = this.#watch.servers().find(({ name }) => name === server);
    return {
      atMs: performance.now(),
      process: found?.process ?? "stopped",
      envoy: found?.envoy ?? "not in DNS",
      ...this.#sums(),
    };
  }

  #sums(): Pick<Sight, "retries" | "lost"> {
    return {
      retries: this.#watch.envoy.retries,
      lost: { ...this.#counted.lost },
    };
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return; // The last poll is still running.
    this.#isLooking = true;
    await this.#watch.askEnvoy();
    this.#isLooking = false;
    const { overflows } = this.#watch.envoy;
    this.#seconds.addOverflows(Math.max(0, overflows - this.#overflows));
    this.#overflows = overflows;
    for (const [story, { server, follow }] of this.#follows) {
      follow.see(this.#sight(server));
      story.tell(follow.text(), !follow.isOver);
      if (follow.isOver) this.#follows.delete(story);
    }
    this.#tell("state", () => this.state());
  }

  /** Replaces or restarts Envoy between two polls. */
  async #withoutLooking(work: () => Promise<void>): Promise<void> {
    while (this.#isLooking) await pause(1);
    this.#isLooking = true;
    try {
      await this.#watch.askEnvoy();
      await work();
      this.#watch.noteNewEnvoy();
    } finally {
      this.#isLooking = false;
    }
  }

  /** Waits until the polls show a condition, for at most 20 s. */
  async #until(isTrue: () => boolean): Promise<void> {
    const limitAtMs = performance.now() + 20_000;
    while (!isTrue() && performance.now() < limitAtMs && !this.#isClosed) {
      await pause(LOOK_MS);
    }
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
    // Envoy's access log covers the balanced listener's calls, others'
    // included.
    if (listener === "l7") return;
    this.#seconds.addCall(call);
    this.#frame.add(call);
  }

  #nextSecond(): void {
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

/** What was done, to follow a server's name. */
const DONE_WORDS = {
  terminate: "terminated",
  kill: "killed",
  pause: "paused",
  resume: "resumed",
  restart: "restarted",
} as const;

function sinceWords(startMs: number): string {
  return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

function loadWords({ ratePerS, connections, kind, listeners }: LoadState) {
  if (ratePerS === 0 || listeners.length === 0) return "the load was stopped";
  const where = listeners.map((one) => one.toUpperCase()).join(" and ");
  return `${ratePerS} ${kind} ${ratePerS === 1 ? "call" : "calls"} a second ` +
    `to ${where} on ${connections} ` +
    `${connections === 1 ? "connection" : "connections"}`;
}

/** Envoy's defaults where the configuration has no value. */
const ENVOY_DEFAULTS = { ejectionS: 30, budgetPercent: 20, retriesMin: 3 };

/** The balanced cluster's limits, as configured. */
function limitsOf(config: EnvoyConfig): ConfiguredLimits {
  const cluster = grpcCluster(config);
  const ejection = at(cluster, "outlier_detection", "base_ejection_time");
  const budget = at(
    cluster,
    ...["circuit_breakers", "thresholds", 0, "retry_budget"],
  );
  const { ejectionS, budgetPercent, retriesMin } = ENVOY_DEFAULTS;
  return {
    ejectionMs: 1000 * (Number.parseFloat(String(ejection)) || ejectionS),
    budgetPercent: Number(
      at(budget, "budget_percent", "value") ?? budgetPercent,
    ),
    retriesMin: Number(at(budget, "min_retry_concurrency") ?? retriesMin),
  };
}
