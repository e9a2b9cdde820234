/**
 * Types a workshop's commands, as the first program in a network namespace that
 * has nothing but its own loopback, and prints what came of each as JSON:
 *
 *     kit_commands.ts ./demo
 */
import { start } from "./programs.ts";

/** What a command has said. */
export interface Said {
  readonly command: string;
  readonly code: number;
  readonly text: string;
}

/** What has come of all commands. */
export interface Outcome {
  readonly said: readonly Said[];
  /** From typing `up` to the first reply, cold and then warm. */
  readonly firstReplyMs: readonly number[];
  /** What still ran afterwards. */
  readonly leftovers: readonly string[];
  /** What Envoys have left in /dev/shm. */
  readonly sharedMemory: readonly string[];
}

/** How long a command may take on a busy machine. */
const LIMIT_MS = 60_000;

/** Environments that make a load test short. */
const SHORT_LOAD = {
  RATE: "60",
  DURATION: "4s",
  WARMUP: "1s",
  TOLERANCE: "0.05",
};

async function type(words: readonly string[]): Promise<Outcome> {
  const [command = "", ...first] = words;
  const cwd = Deno.cwd();
  const said: Said[] = [];
  const leftovers: string[] = [];
  const firstReplyMs: number[] = [];
  const run = (args: readonly string[], env = {}) =>
    start(command, [...first, ...args], env, cwd);
  const note = async (
    args: readonly string[],
    one: ReturnType<typeof start>,
  ) => {
    const timer = setTimeout(() => one.process.kill("SIGKILL"), LIMIT_MS);
    const code = await one.ended;
    clearTimeout(timer);
    said.push({ command: args.join(" "), code, text: one.text() });
    leftovers.push(...one.leftovers());
  };
  const say = (args: readonly string[], env = {}) => note(args, run(args, env));

  await say(["check"]);
  for (const isLast of [false, true]) {
    const startedMs = performance.now();
    const up = run(["up"]);
    try {
      await up.printed(/call 1 .* reply 1 /);
      firstReplyMs.push(performance.now() - startedMs);
      if (isLast) {
        await say(["ctl", "status"]);
        await say(["ctl", "scale", "4"]);
        await up.printed(/scaled from 3 to 4; Envoy sees 4 healthy/);
        await say(["load"], { ...SHORT_LOAD, SERVERS: "4" });
      }
      up.process.kill("SIGINT");
    } catch {
      // It has ended; its code and its text say why.
    }
    await note(["up"], up);
  }
  await say(["experiment", "list"]);
  await say(["experiment", "run", "wrong-health-service"]);
  await say(["reports"]);
  await say(["doctor", "envoy.yaml"]);
  await say(["lesson", "start", "panic"]);
  await say(["lesson", "hint"]);
  await say(["lesson", "solve"]);
  await say(["lesson", "check"]);
  await say(["down"]);
  const sharedMemory = [...Deno.readDirSync("/dev/shm")]
    .map(({ name }) => name);
  return { said, firstReplyMs, leftovers, sharedMemory };
}

if (import.meta.main) {
  // deno-lint-ignore no-console
  console.log(JSON.stringify(await type(Deno.args)));
  Deno.exit(0);
}
