/** Performs actions on a running stack, and tells a story about each. */
import { Failure, messageOf } from "../core/errors.ts";
import { type ExitStatus, exitWords } from "../io/child.ts";
import { pause } from "../io/wait.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { type Action, Refusal } from "./actions.ts";
import type { Callers } from "./callers.ts";
import { lostWords } from "./follow.ts";
import type { Looks } from "./looks.ts";
import {
  absentIn,
  configWith,
  DRAINING,
  PROTECTIONS,
  protectionStates,
} from "./protections.ts";
import type { LoadState, ProtectionState } from "./state.ts";
import type { Stories, Story } from "./stories.ts";
import type { Watch } from "./watch.ts";

/**
 * Long enough to see Envoy take the server out of rotation, short enough to
 * wait for.
 */
const RESTART_DELAY_MS = 3000;

/** The shortest time between two changes of the load. */
const LOAD_PAUSE_MS = 200;

/** What was done, to follow a server's name. */
const DONE_WORDS = {
  terminate: "terminated",
  kill: "killed",
  pause: "paused",
  resume: "resumed",
  restart: "restarted",
} as const;

/** What a performer works on. */
interface PerformerOptions {
  readonly stack: Stack;
  /** Envoy's configuration, before the stack's own changes. */
  readonly config: EnvoyConfig;
  readonly callers: Pick<Callers, "load" | "change">;
  readonly watch: Watch;
  readonly looks: Looks;
  readonly stories: Stories;
  /** Envoy has another configuration. */
  readonly onConfig: (config: EnvoyConfig) => void;
  /** A server could not be started again. */
  readonly onFailure: (failure: Failure) => void;
}

/** Performs one action at a time. */
export class Performer {
  readonly #options: PerformerOptions;
  readonly #stack: Stack;
  readonly #watch: Watch;
  readonly #looks: Looks;
  readonly #stories: Stories;
  readonly #absent: ReadonlySet<string>;
  readonly #restarts = new Map<string, ReturnType<typeof setTimeout>>();
  #turned: ReadonlySet<string> = new Set();
  /** The story of the action that is being performed. */
  #begun: { readonly story: Story; readonly words: string } | undefined;
  #busy = "";
  #isCut = false;
  #hasReplacedEnvoy = false;
  #isClosed = false;

  constructor(options: PerformerOptions) {
    this.#options = options;
    this.#stack = options.stack;
    this.#watch = options.watch;
    this.#looks = options.looks;
    this.#stories = options.stories;
    this.#absent = absentIn(options.config);
  }

  /** What is being done at the moment; "" if nothing is. */
  get busy(): string {
    return this.#busy;
  }

  /** Whether a server was killed, and its counts lost. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Whether Envoy has been replaced. */
  get hasReplacedEnvoy(): boolean {
    return this.#hasReplacedEnvoy;
  }

  get protections(): readonly ProtectionState[] {
    return protectionStates(this.#turned, this.#absent);
  }

  /**
   * Performs an action; a story that has begun also tells when that fails.
   *
   * @param who Who asked for it.
   * @returns The id of the story about it.
   * @throws {Refusal} When it does not fit; nothing has changed then.
   */
  async perform(who: string, action: Action): Promise<number> {
    this.#begun = undefined;
    try {
      return (await this.#perform(who, action)).id;
    } catch (error) {
      this.#tellFailure(messageOf(error));
      throw error;
    } finally {
      this.#busy = "";
    }
  }

  /** Handles a server that ended without being stopped. */
  noteCrash(server: string, status: ExitStatus): void {
    this.#isCut ||= status.signal !== null;
    const why = `${server} ended unexpectedly (${exitWords(status)})`;
    this.#looks.follow(this.#stories.begin("", why, true), server, why);
    this.#startLater(server);
  }

  /** From now on no server is started. */
  close(): void {
    this.#isClosed = true;
    this.#restarts.forEach(clearTimeout);
  }

  /** Begins the story of an action that takes its time. */
  #begin(who: string, words: string): Story {
    const story = this.#stories.begin(who, words, true);
    this.#begun = { story, words };
    this.#busy = words;
    return story;
  }

  #tellFailure(reason: string): void {
    if (this.#begun === undefined) return;
    const { story, words } = this.#begun;
    this.#looks.unfollow(story);
    story.tell(`${words}; it failed: ${reason}`, false);
  }

  async #perform(who: string, action: Action): Promise<Story> {
    switch (action.do) {
      case "scale":
        return await this.#scale(who, action.count);
      case "fault": {
        const { server, fault } = action;
        await this.#stack.fault(server, fault);
        this.#watch.noteFault(server, fault);
        const what = `${server} has the fault "${fault.kind}" for ` +
          `${fault.durationMs / 1000} s`;
        const story = this.#stories.begin(who, what, true);
        this.#looks.follow(story, server, what);
        return story;
      }
      case "clear":
        await this.#stack.clearFaults(action.server);
        this.#watch.forgetFaults(action.server);
        return this.#stories.begin(who, `${action.server} has no fault`);
      case "restart-envoy":
        return await this.#restartEnvoy(who);
      case "load": {
        const { callers } = this.#options;
        const load = { ...callers.load, ...action.load };
        this.#busy = loadWords(load);
        callers.change(load);
        // Each change starts programs, so the rate must be limited.
        await pause(LOAD_PAUSE_MS);
        return this.#stories.begin(who, loadWords(load));
      }
      case "protect":
        return await this.#protect(who, action.id, action.isOn);
      default:
        return await this.#doToServer(who, action.do, action.server);
    }
  }

  async #doToServer(
    who: string,
    what: keyof typeof DONE_WORDS,
    server: string,
  ): Promise<Story> {
    const stack = this.#stack;
    const words = `${server} ${DONE_WORDS[what]}`;
    const story = this.#begin(who, words);
    this.#looks.follow(story, server, words);
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
    return story;
  }

  async #scale(who: string, count: number): Promise<Story> {
    const before = this.#stack.servers().length;
    const words = `scaled from ${before} to ${count}`;
    const story = this.#begin(who, words);
    const since = this.#since();
    const leaving = this.#stack.servers().slice(count);
    for (const { name } of leaving) this.#watch.note(name, "leaving");
    if (this.#turned.has(DRAINING)) {
      this.#isCut ||= leaving.length > 0;
      await Promise.all(
        leaving.map(({ name }) => this.#stack.stop(name, "SIGKILL")),
      );
    }
    await this.#stack.scale(count);
    await this.#looks.until(() => {
      const { total, healthy } = this.#watch.envoy;
      return total === count && healthy === count;
    });
    const { seconds, lost } = since();
    story.tell(
      `${words}; Envoy sees ${this.#watch.envoy.healthy} healthy after ` +
        `${seconds}; ${lost}`,
      false,
    );
    return story;
  }

  async #restartEnvoy(who: string): Promise<Story> {
    const words = "Envoy stopped without draining";
    const story = this.#begin(who, words);
    const since = this.#since();
    await this.#looks.without(async () => {
      await this.#stack.stopEnvoy("SIGTERM");
      await this.#stack.startEnvoy();
    });
    await this.#looks.until(() => this.#watch.envoy.isLive);
    const { seconds, lost } = since();
    story.tell(`${words}; live again after ${seconds}; ${lost}`, false);
    return story;
  }

  async #protect(who: string, id: string, isOn: boolean): Promise<Story> {
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
      return this.#stories.begin(who, words);
    }
    const config = this.#configWith(turned);
    const story = this.#begin(who, words);
    const since = this.#since();
    await this.#looks.without(async () => {
      await this.#stack.replaceEnvoy(config);
      this.#watch.noteConfig(config);
      this.#options.onConfig(config);
      this.#hasReplacedEnvoy = true;
    });
    this.#turned = turned;
    await this.#looks.until(() => this.#watch.envoy.isLive);
    const { seconds, lost } = since();
    story.tell(`${words}; Envoy replaced in ${seconds}, ${lost}`, false);
    return story;
  }

  #configWith(turned: ReadonlySet<string>): EnvoyConfig {
    try {
      return configWith(this.#options.config, turned);
    } catch (error) {
      throw new Refusal(
        `This does not fit the Envoy configuration: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** Says, when it is called, how long it took from now and what was lost. */
  #since(): () => { readonly seconds: string; readonly lost: string } {
    const startMs = performance.now();
    const before = this.#looks.sums().lost;
    return () => ({
      seconds: `${((performance.now() - startMs) / 1000).toFixed(1)} s`,
      lost: lostWords(before, this.#looks.sums().lost),
    });
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
}

function loadWords({ ratePerS, connections, kind, listeners }: LoadState) {
  if (ratePerS === 0 || listeners.length === 0) return "the load was stopped";
  const where = listeners.map((one) => one.toUpperCase()).join(" and ");
  return `${ratePerS} ${kind} ${ratePerS === 1 ? "call" : "calls"} a second ` +
    `to ${where} on ${connections} ` +
    `${connections === 1 ? "connection" : "connections"}`;
}
