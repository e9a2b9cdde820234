/** One run of an experiment: set-up, load, events, history. */
import { messageOf } from "../core/errors.ts";
import { seededRandom } from "../core/random.ts";
import { exitWords } from "../io/child.ts";
import { isAccessLog } from "../stack/output.ts";
import { changedConfig } from "./changes.ts";
import type { Experiment, Load, Setup } from "./experiment.ts";
import { TIMERS_LATE_MS_MAX, watchDisturbance } from "../io/disturbance.ts";
import {
  type Action,
  type CallRecord,
  type EventRecord,
  type History,
  type Measure,
  type Sample,
  Unmeasured,
} from "./history.ts";
import { isFailed, type Outcomes, outcomesOf } from "./judge.ts";
import { type ServerNames, takeSnapshot, watch } from "./observer.ts";
import { Recorder } from "./recorder.ts";
import type { RunContext } from "./run_context.ts";
import type { EnvoyConfig } from "../stack/envoy_config.ts";
import { type Stack, type StackAction, tlsOf } from "../stack/stack.ts";
import type { StackFactory } from "./stacks.ts";
import { pause } from "../io/wait.ts";
import { awaitHealthy } from "../stack/healthy.ts";

/** An experiment or its control, without the claims. */
export type Plan = Pick<
  Experiment,
  "setup" | "load" | "events" | "isMeantToFail"
>;

/** What a run reports while it goes on. */
export interface Progress extends Outcomes {
  readonly elapsedMs: number;
  readonly durationMs: number;
  readonly healthy: number | undefined;
  readonly servers: number;
  /** Something that has just happened. */
  readonly event?: string;
}

/** A configuration in place of envoy.yaml. */
export interface Base {
  readonly config: EnvoyConfig;
  /** The file's name, for messages. */
  readonly name: string;
}

/** Options of a run. */
export interface RunOptions {
  readonly stacks: StackFactory;
  readonly seed: number;
  /** Interrupts the run: the history then ends there. */
  readonly signal: AbortSignal;
  /** What the set-up starts from (default envoy.yaml). */
  readonly base?: Base;
  /** Measures other work on the machine; tests pass their own. */
  readonly watchDisturbance?: typeof watchDisturbance;
  /** Called once a second and at every event. */
  readonly onProgress: (progress: Progress) => void;
}

const LOAD_DEFAULTS = {
  workMs: 0,
  deadlineMs: 2000,
  connections: 4,
  listener: "l7",
} as const satisfies Partial<Load>;

/** After the last call, for what servers and Envoy have yet to count. */
const SETTLE_MS = 300;

const PROGRESS_INTERVAL_MS = 1000;

/**
 * Runs a plan on a stack of its own and closes the stack.
 *
 * @throws {Failure} When the stack cannot be started, or the run was
 * interrupted before the load started.
 */
export async function runPlan(
  plan: Plan,
  options: RunOptions,
): Promise<History> {
  const run = new Run(plan, options);
  const { setup } = plan;
  const { changes = [], addresses = setup.servers } = setup;
  const { name: file = "envoy.yaml", config } = options.base ??
    options.stacks.base ??
    {};
  const names = changes.map(({ name }) => name).join(", ");
  const stack = await options.stacks.start({
    servers: setup.servers,
    config: changedConfig(changes, config, file),
    configName: names === "" ? file : `${file} with ${names}`,
    concurrency: setup.concurrency ?? 1,
    discovery: setup.discovery ?? "dns",
    tls: setup.tls,
    serverFlags: setup.serverFlags ?? [],
    serverProgram: setup.serverProgram,
    addresses,
    kubernetes: setup.kubernetes ?? {},
    healthyAtStart: setup.healthyAtStart ?? addresses,
    signal: options.signal,
    onLine: (program, line) => run.addLine(program, line),
    onAction: (action) => run.addAction(action),
    onCrash: (program, status) =>
      run.addCrash(`${program} ended (${exitWords(status)})`),
  });
  try {
    return await run.go(stack);
  } finally {
    await stack.close();
  }
}

class Run {
  readonly #setup: Setup;
  readonly #load: Required<Load>;
  readonly #plan: Plan;
  readonly #options: RunOptions;
  readonly #events: EventRecord[] = [];
  readonly #samples: Sample[] = [];
  readonly #measures: Measure[] = [];
  readonly #actions: Action[] = [];
  readonly #names: ServerNames = new Map();
  readonly #crashes: string[] = [];
  readonly #lines: string[] = [];
  #extraCalls = 0;
  #unsureCalls = 0;
  #directCalls = 0;
  #startedAtMs = 0;
  #recorder: Recorder | undefined;

  constructor(plan: Plan, options: RunOptions) {
    this.#plan = plan;
    this.#setup = plan.setup;
    this.#load = { ...LOAD_DEFAULTS, ...plan.load };
    this.#options = options;
  }

  addLine(program: string, line: string): void {
    if (isAccessLog(program, line)) return;
    this.#lines.push(`${program}: ${line}`);
  }

  addCrash(words: string): void {
    this.#crashes.push(words);
  }

  addAction(action: StackAction): void {
    this.#actions.push({ atMs: this.#elapsedMs(), ...action });
  }

  async go(stack: Stack): Promise<History> {
    const { signal, seed } = this.#options;
    const { listener } = this.#load;
    const target = listener === "l7" ? stack.endpoint : stack.l4Endpoint;
    const recorder = new Recorder(this.#load, target, tlsOf(stack));
    this.#recorder = recorder;
    try {
      if (this.#load.ratePerS > 0) await recorder.warmUp();
      signal.throwIfAborted();
      const before = await takeSnapshot(stack, this.#names);
      const endDisturbance =
        await (this.#options.watchDisturbance ?? watchDisturbance)(
          this.#setup.timersLateMsMax ??
            this.#options.stacks.timersLateMsMax ?? TIMERS_LATE_MS_MAX,
        );
      const startedAt = new Date().toISOString();
      this.#startedAtMs = performance.now();
      await this.#during(stack, recorder);
      const durationMs = this.#elapsedMs();
      await pause(SETTLE_MS);
      const disturbance = await endDisturbance();
      const after = await takeSnapshot(stack, this.#names).catch((error) =>
        new Unmeasured(`unknown, because at the end ${messageOf(error)}`)
      );
      const nameOf = (reply: string) => stack.nameOf?.(reply) ?? reply;
      return {
        setup: this.#setup,
        load: this.#load,
        seed,
        startedAt,
        durationMs,
        calls: this.#calls().map((call) => ({
          ...call,
          server: nameOf(call.server),
        })).toSorted((a, b) => a.startMs - b.startMs),
        events: [...this.#events].sort((a, b) => a.startMs - b.startMs),
        samples: this.#samples,
        before,
        get after() {
          if (after instanceof Unmeasured) throw after;
          return after;
        },
        measures: this.#measures,
        actions: this.#actions,
        extraCalls: this.#extraCalls,
        unsureCalls: this.#unsureCalls,
        directCalls: this.#directCalls,
        crashes: [...this.#crashes],
        lines: [...this.#lines],
        disturbance,
        isInterrupted: signal.aborted,
      };
    } finally {
      recorder.close();
    }
  }

  async #during(stack: Stack, recorder: Recorder): Promise<void> {
    const { signal } = this.#options;
    const done = new AbortController();
    const elapsedMs = () => this.#elapsedMs();
    const watching = watch(
      stack,
      this.#names,
      elapsedMs,
      (sample) => this.#samples.push(sample),
      done.signal,
    );
    const timer = setInterval(() => this.#tell(), PROGRESS_INTERVAL_MS);
    try {
      const context = this.#context(stack);
      await Promise.all([
        recorder.run(elapsedMs, signal),
        // Even without calls, a run lasts as long as its load says.
        context.wait(this.#load.durationMs),
        ...this.#plan.events.map((event) => this.#happen(event, context)),
      ]);
    } finally {
      clearInterval(timer);
      done.abort();
      await watching;
    }
  }

  async #happen(
    event: Experiment["events"][number],
    context: RunContext,
  ): Promise<void> {
    await context.wait(event.atMs - this.#elapsedMs());
    if (this.#options.signal.aborted) return;
    const startMs = this.#elapsedMs();
    this.#tell(event.label);
    let error: string | undefined;
    try {
      await event.do(context);
    } catch (thrown) {
      error = messageOf(thrown);
      this.#tell(`"${event.label}" failed: ${error}`);
    }
    this.#events.push({
      label: event.label,
      startMs,
      endMs: this.#elapsedMs(),
      ...(error === undefined ? {} : { error }),
    });
  }

  #context(stack: Stack): RunContext {
    const { signal, seed } = this.#options;
    return {
      stack,
      signal,
      random: seededRandom(seed),
      elapsedMs: () => this.#elapsedMs(),
      measure: (name, value) => {
        this.#measures.push({ name, value, atMs: this.#elapsedMs() });
      },
      mark: (label) => {
        const atMs = this.#elapsedMs();
        this.#events.push({ label, startMs: atMs, endMs: atMs });
        this.#tell(label);
      },
      addCalls: (count, unsure = 0) => {
        this.#extraCalls += count;
        this.#unsureCalls += unsure;
      },
      addDirectCalls: (count) => {
        this.#directCalls += count;
      },
      wait: (ms) => pause(ms, signal),
      awaitHealthy: (count, limitMs) =>
        awaitHealthy(stack.admin, count, { limitMs, signal }),
    };
  }

  /** The recorded calls, with those that failed as meant marked. */
  #calls(): readonly CallRecord[] {
    const { isMeantToFail = () => false } = this.#plan;
    return (this.#recorder?.calls ?? []).map((call) => ({
      ...call,
      failedAsMeant: isFailed(call) && isMeantToFail(call),
    }));
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  #tell(event?: string): void {
    const last = this.#samples.at(-1)?.stats;
    this.#options.onProgress({
      elapsedMs: this.#elapsedMs(),
      durationMs: this.#load.durationMs,
      ...outcomesOf(this.#calls()),
      healthy: last?.["membership_healthy"],
      servers: last?.["membership_total"] ?? this.#setup.servers,
      ...(event === undefined ? {} : { event }),
    });
  }
}
