/**
 * Types a workshop's commands, as the first program in a network namespace that
 * has nothing but its own loopback, and prints what came of each as JSON:
 *
 *     kit_commands.ts FOLDER ./demo
 *
 * FOLDER has a kit's archive, which `serve` hands out.
 */
import { start } from "./programs.ts";

/** What a command, or a request to what it has started, has said. */
export interface Said {
  readonly command: string;
  /** The exit code, or the status of the reply. */
  readonly code: number;
  readonly text: string;
}

/** What has come of all commands. */
export interface Outcome {
  readonly said: readonly Said[];
  /** From typing `up` to the first reply: cold, warm, and on other ports. */
  readonly firstReplyMs: readonly number[];
  /** How long the program's own start took, before and after each `up`. */
  readonly startMs: readonly number[];
  /** What still ran afterwards. */
  readonly leftovers: readonly string[];
  /** What Envoys have left in /dev/shm. */
  readonly sharedMemory: readonly string[];
}

/** How long a command may take on a busy machine. */
const LIMIT_MS = 180_000;

/** Environments that make a load test short. */
const SHORT_LOAD = {
  RATE: "60",
  DURATION: "4s",
  WARMUP: "1s",
  TOLERANCE: "0.05",
};

/** An `up` on ports of its own, where servers differ in their ports, too. */
const OTHER_PORTS = [
  ...["up", "--discovery", "eds", "--port", "5100", "--server-port", "5200"],
  ...["--admin-port", "9911", "--page-port", "8100"],
];

/** They start servers that are not ours, certificates, and stacks of each. */
const EXPERIMENTS = ["large-replies", "mutual-tls", "wrong-health-service"];

async function type(
  folder: string,
  words: readonly string[],
): Promise<Outcome> {
  const [command = "", ...first] = words;
  const cwd = Deno.cwd();
  const said: Said[] = [];
  const leftovers: string[] = [];
  const firstReplyMs: number[] = [];
  const startMs: number[] = [];
  const run = (args: readonly string[], env = {}) =>
    start(command, [...first, ...args], env, cwd);
  let report = "";
  const note = async (
    args: readonly string[],
    one: ReturnType<typeof start>,
  ) => {
    const timer = setTimeout(() => one.process.kill("SIGKILL"), LIMIT_MS);
    const code = await one.ended;
    clearTimeout(timer);
    // The folder's name has the time of day.
    const words = args.map((word) => word === report ? "DIR" : word);
    said.push({ command: words.join(" "), code, text: one.text() });
    leftovers.push(...one.leftovers());
  };
  const say = (args: readonly string[], env = {}) => note(args, run(args, env));
  const get = async (url: string) => {
    const response = await fetch(url);
    const text = await response.text();
    said.push({ command: `GET ${url}`, code: response.status, text });
  };
  const measureStart = async () => {
    const startedMs = performance.now();
    await run(["--help"]).ended;
    startMs.push(performance.now() - startedMs);
  };
  /** Starts what runs until Ctrl-C, and uses it once it has printed it. */
  const use = async (
    args: readonly string[],
    isReady: RegExp,
    work: (one: ReturnType<typeof start>) => Promise<void>,
  ) => {
    const one = run(args);
    try {
      await one.printed(isReady);
      await work(one);
    } catch (error) {
      // If it has ended, its code and its text say why.
      said.push({ command: args.join(" "), code: -1, text: String(error) });
    }
    one.process.kill("SIGINT");
    await note(args, one);
  };
  const up = async (
    args: readonly string[],
    work: Parameters<typeof use>[2] = async () => {},
  ) => {
    await measureStart();
    const startedMs = performance.now();
    await use(args, /call 1 .* reply 1 /, async (one) => {
      firstReplyMs.push(performance.now() - startedMs);
      await work(one);
    });
    await measureStart();
  };

  await say(["check"]);
  await up(["up"]);
  await up(["up"], async (one) => {
    await say(["ctl", "status"]);
    await say(["ctl", "scale", "4"]);
    await one.printed(/scaled from 3 to 4; Envoy sees 4 healthy/);
    await say(["load"], { ...SHORT_LOAD, SERVERS: "4" });
    await get("http://127.0.0.1:8000/");
    await get("http://127.0.0.1:8000/api/state");
  });
  await up(OTHER_PORTS, async () => {
    await say(["ctl", "status", "--page-port", "8100"]);
    await get("http://127.0.0.1:8100/api/lessons");
  });
  await say(["experiment", "list"]);
  await say(["experiment", "run", ...EXPERIMENTS]);
  [, report = ""] = /^report: (.*)\/[^/]+$/m.exec(said.at(-1)?.text ?? "") ??
    [];
  await say(["reports"]);
  await say(["experiment", "report", report]);
  await say(["experiment", "compare", report, report]);
  await say(["doctor", "envoy.yaml"]);
  await say(["lesson", "list"]);
  await say(["lesson", "start", "panic"]);
  await say(["lesson", "hint"]);
  await say(["lesson", "solve"]);
  await say(["lesson", "check"]);
  await say(["lesson", "next"]);
  await say(["lesson", "reset"]);
  await use(["serve", "--dir", folder], /at http:.*\n/, async (one) => {
    const [, url = ""] = /at (http:\S+)/.exec(one.text()) ?? [];
    const [, name = ""] = /offers (\S+),/.exec(one.text()) ?? [];
    await get(`${url}${name}.sha256`);
  });
  await say(["down"]);
  const sharedMemory = [...Deno.readDirSync("/dev/shm")]
    .map(({ name }) => name);
  return { said, firstReplyMs, startMs, leftovers, sharedMemory };
}

if (import.meta.main) {
  const [folder = "", ...words] = Deno.args;
  // deno-lint-ignore no-console
  console.log(JSON.stringify(await type(folder, words)));
  Deno.exit(0);
}
