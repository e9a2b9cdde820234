/**
 * The runtime gate: whether a version of Deno runs our server and our client
 * without losing a call. No version is pinned before it has passed.
 */
import config from "../deno.json" with { type: "json" };
import { EXIT_CODES, Failure } from "../src/core/errors.ts";
import {
  type FlagRows,
  helpText,
  parseFlags,
  wholeNumber,
} from "../src/core/flags.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print } from "../src/io/terminal.ts";
import { findTool } from "../src/io/tools.ts";
import { findDeno } from "../src/io/tools/deno.ts";
import { killAllChildren } from "../src/io/child.ts";
import {
  type Check,
  type Plan,
  QUICK_CHECKS,
  QUICK_PLAN,
  SLOW_CHECKS,
  WHOLE_PLAN,
} from "./gate/checks.ts";
import { CLOSE_CHECK, MEMORY_CHECKS } from "./gate/closed_connections.ts";
import {
  gateTable,
  isPassed,
  NOT_RUN,
  type Outcome,
  type Row,
} from "./gate/judge.ts";
import { RESTART_CHECK } from "./gate/restarts.ts";
import { type Runtime, whyNotRunning } from "./gate/runtime.ts";

const PIN = config.toolVersions.deno;

const VERSIONS_MAX = 20;

const ABOUT = `Runs our server and our client under each version of Deno, by \
default the pinned one, ${PIN},
and prints a table of versions by check. Exit code: 0 if every check passed, \
${EXIT_CODES.failed} if one did not.`;

const FLAGS = {
  idleS: {
    name: "idle",
    placeholder: "SECONDS",
    help: "How long a connection is idle before the server closes it",
    default: 20,
    parse: wholeNumber(1, 3_600),
  },
  quick: {
    name: "quick",
    help: "Only the fast checks: fewer closing clients, fresh " +
      "connections, and a close",
    switch: true,
  },
} as const satisfies FlagRows;

function checkVersions(versions: readonly string[]): readonly string[] {
  const bad = versions.filter((one) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(one));
  if (bad.length === 0) return versions.length === 0 ? [PIN] : versions;
  throw new Failure(
    "usage",
    bad.map((one) =>
      `"${one}" is not a version of Deno; use one such as ${PIN}`
    )
      .join("\n"),
  );
}

async function findRuntime(
  version: string,
  signal: AbortSignal,
): Promise<Runtime> {
  // A skipped Deno is the one that runs us.
  const onProgress = (line: string) => {
    if (!line.startsWith("Skipping")) print(line);
  };
  const { path } = version === Deno.version.deno
    ? { path: Deno.execPath() }
    : await findDeno(version, { onProgress, signal });
  if (version !== PIN) {
    print(
      `Deno ${version} has no digest in deno.json: its file is not checked`,
    );
  }
  return { version, path, onProgress: print, signal };
}

/** Runs the checks on one Deno; only the runtime is judged. */
async function gate(
  runtime: Runtime,
  checks: readonly Check[],
  plan: Plan,
): Promise<Row> {
  const { version } = runtime;
  const why = await whyNotRunning(runtime);
  if (why !== undefined) {
    print(
      `Deno ${version} does not run our code, so nothing was tested: ${why}`,
    );
    return { version, checks: checks.map(() => NOT_RUN) };
  }
  const row: Outcome[] = [];
  for (const { title, run } of checks) {
    const startedMs = performance.now();
    const outcome = await run(runtime, plan);
    if (runtime.signal.aborted) throw stopped();
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const verdict = typeof outcome === "string"
      ? outcome
      : outcome.length === 0
      ? "ok"
      : `FAILED (${outcome.join("; ")})`;
    print(`Deno ${version}: ${title} ${verdict} after ${seconds} s`);
    row.push(outcome);
  }
  return { version, checks: row };
}

function stopped(): Failure {
  return new Failure("interrupted", "interrupted before the checks finished");
}

async function run(): Promise<number> {
  const { values, positionals, help } = parseFlags(FLAGS, Deno.args, {
    positionalsMax: VERSIONS_MAX,
  });
  if (help) {
    print(helpText("gate:runtime [VERSION...] [flags]", ABOUT, FLAGS));
    return 0;
  }
  const versions = checkVersions(positionals);
  const { signal } = listenForStop(killAllChildren);
  // Ends what is running, and so the check that waits for it.
  signal.addEventListener("abort", killAllChildren);
  const plan: Plan = {
    ...(values.quick ? QUICK_PLAN : WHOLE_PLAN),
    idleMs: values.idleS * 1000,
  };
  const checks = [
    ...QUICK_CHECKS,
    CLOSE_CHECK,
    ...(values.quick ? [] : [...SLOW_CHECKS, RESTART_CHECK, ...MEMORY_CHECKS]),
  ];
  if (!values.quick) await findTool("envoy", { onProgress: print, signal });
  const runtimes: Runtime[] = [];
  for (const one of versions) runtimes.push(await findRuntime(one, signal));
  const rows: Row[] = [];
  try {
    for (const one of runtimes) {
      rows.push(await gate(one, checks, plan));
    }
  } catch (error) {
    throw signal.aborted ? stopped() : error;
  }
  print("");
  gateTable(checks.map(({ title }) => title), rows)
    .forEach((line) => print(line));
  const allPassed = rows.every((row) => row.checks.every(isPassed));
  return allPassed ? 0 : EXIT_CODES.failed;
}

if (import.meta.main) await runProgram("gate:runtime", run);
