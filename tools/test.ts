/**
 * The test command: formatting, lint, types, house rules and every test, with a
 * final line that counts them all. Those of tests/long take minutes each and are
 * run when they are named.
 */
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { typedPath } from "../src/io/files.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { findTool } from "../src/io/tools.ts";
import { longFiles, RULES, type SourceFile } from "./checks/rules.ts";

/** The counts of a run. */
interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const DENO_CHECKS: readonly (readonly [what: string, args: string[]])[] = [
  ["formatting", ["fmt", "--check", "-q"]],
  ["lint", ["lint", "-q"]],
  ["types", ["check", "-q", "."]],
  [
    "types of the page",
    ["check", "-q", "--check-js", "src/page/web/page.js"],
  ],
];

/** Tests in parallel wait for programs more than they compute. */
const JOBS = Math.ceil(1.5 * navigator.hardwareConcurrency);

/** Runs Deno; each line is printed and passed on. */
async function runDeno(
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void = () => {},
): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    // The tests start programs with paths relative to here, wherever we were
    // called.
    env: { INIT_CWD: Deno.cwd(), DENO_JOBS: String(JOBS) },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    signal,
  }).spawn();
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      print(line);
      onLine(line);
    }
  }
  return (await child.status).success;
}

async function trackedFiles(): Promise<SourceFile[]> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard"],
  }).output();
  const paths = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  return await Promise.all(paths.map(async (path) => ({
    path,
    // A removed file that is still in the index has no text.
    text: await Deno.readTextFile(path).catch(() => ""),
  })));
}

async function runChecks(signal: AbortSignal): Promise<Count> {
  let passed = 0;
  let failed = 0;
  const count = (what: string, complaints: readonly string[] | boolean) => {
    const isFine = complaints === true ||
      (complaints !== false && complaints.length === 0);
    if (isFine) passed += 1;
    else failed += 1;
    print(`check ${what} ... ${isFine ? "ok" : "FAILED"}`);
    if (typeof complaints !== "boolean") {
      complaints.forEach((complaint) => print(`  ${complaint}`));
    }
  };
  for (const [what, args] of DENO_CHECKS) {
    count(what, await runDeno(args, signal));
  }
  const files = await trackedFiles();
  for (const [what, rule] of Object.entries(RULES)) count(what, rule(files));
  longFiles(files).forEach((hint) => print(`hint: ${hint}`));
  return { passed, failed, skipped: 0 };
}

/**
 * Tests that measure rates, latencies or lost calls. They would disturb each
 * other, so they run one by one, after the rest.
 */
const MEASURING: readonly string[] = [
  "tests/build_test.ts",
  "tests/compose_commands_test.ts",
  "tests/compose_hardening_test.ts",
  "tests/compose_test.ts",
  "tests/experiment_test.ts",
  "tests/gate_test.ts",
  "tests/lesson_test.ts",
  "tests/load_command_test.ts",
  "tests/native_test.ts",
  "tests/page_browser_test.ts",
];

/** Tests that take minutes. */
const LONG = "tests/long";

/** Deno's summary line: "ok | 7 passed (2 steps) | 0 failed | 1 ignored". */
const CLOSING = /\| (\d+) passed.*\| (\d+) failed(?:.*\| (\d+) ignored)?/;

/** What Deno puts after the name of a test that failed, in colour or not. */
const FAILED = /\.\.\. \S*FAILED/;

async function runTests(
  args: readonly string[],
  signal: AbortSignal,
  onFailed: (line: string) => void,
): Promise<Count> {
  let count: Count | undefined;
  const isFine = await runDeno(
    // Types have been checked.
    ["test", "-q", "-A", "--no-check", ...args],
    signal,
    (line) => {
      if (FAILED.test(line)) onFailed(line);
      const [, passed, failed, skipped] = CLOSING.exec(line) ?? [];
      if (passed === undefined) return;
      count = {
        passed: Number(passed),
        failed: Number(failed),
        skipped: Number(skipped ?? 0),
      };
    },
  );
  if (count === undefined) return { passed: 0, failed: 1, skipped: 0 };
  // A run can fail without a failed test: a leak, an uncaught error.
  return isFine || count.failed > 0 ? count : { ...count, failed: 1 };
}

const ABOUT = `Checks formatting, lint, types and the house rules, and runs \
every test but those of
tests/long, or those in the files and folders named. The last line counts them all.`;

/** The files and folders named. @throws {Failure} `usage` */
async function chosenFiles(names: readonly string[]): Promise<string[]> {
  const paths = names.map(typedPath);
  for (const path of paths) {
    if (await Deno.stat(path).then(() => true, () => false)) continue;
    throw new Failure(
      "usage",
      `"${path}" is not a file or folder; name tests, or nothing to run them all`,
    );
  }
  return paths;
}

async function run(): Promise<number> {
  const { positionals, help } = parseFlags({}, Deno.args, {
    positionalsMax: Infinity,
  });
  if (help) {
    print(helpText("test [FILE...]", ABOUT, {}));
    return 0;
  }
  const files = await chosenFiles(positionals);
  const { signal } = listenForStop();
  // Fetched up front, so that no test has to wait for it; few single tests need
  // them.
  for (const tool of files.length > 0 ? [] : ["envoy", "k6"] as const) {
    await findTool(tool, { onProgress: print, signal });
  }
  const checks = await runChecks(signal);
  const chosen = files.length > 0 ? [files] : [
    ["--parallel", `--ignore=.tools,${[LONG, ...MEASURING].join(",")}`],
    MEASURING,
  ];
  const counts = [checks];
  const failed: string[] = [];
  for (const args of chosen) {
    counts.push(await runTests(args, signal, (line) => failed.push(line)));
  }
  const sum = (key: keyof Count) =>
    counts.reduce((total, count) => total + count[key], 0);
  const skipped = sum("skipped") === 0 ? "" : `, ${sum("skipped")} skipped`;
  print("");
  // They may be thousands of lines above.
  failed.forEach((line) => print(line));
  if (files.length === 0) {
    print(`${LONG} is left out: ./denow task test ${LONG} runs it`);
  }
  print(`${sum("passed")} passed, ${sum("failed")} failed${skipped}`);
  return sum("failed") === 0 ? 0 : EXIT_CODES.failed;
}

if (import.meta.main) await runProgram("test", run);
