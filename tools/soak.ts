/**
 * A soak test: the native stack under a constant rate for long enough to see
 * whether memory grows. It samples every program's memory and writes a report
 * with one verdict.
 */
import { EXIT_CODES } from "../src/core/errors.ts";
import {
  type FlagRows,
  helpText,
  parseFlags,
  wholeNumber,
} from "../src/core/flags.ts";
import { tableLines } from "../src/core/table.ts";
import { exitWords, killAllChildren } from "../src/io/child.ts";
import { survivePeerErrors } from "../src/io/peer_errors.ts";
import {
  exitWithFailure,
  listenForStop,
  runProgram,
} from "../src/io/program.ts";
import { print, printError } from "../src/io/terminal.ts";
import { findTool } from "../src/io/tools.ts";
import { waitUntil } from "../src/io/wait.ts";
import { freePorts } from "../src/stack/free_port.ts";
import { NativeStack } from "../src/stack/native.ts";
import { residentMib } from "../src/stack/resident.ts";
import {
  growth,
  type MemorySample,
  MIB_PER_MINUTE_MAX,
} from "./soak/growth.ts";
import {
  type Calls,
  CALLS_PER_S,
  comeAndGo,
  CONNECTIONS_PER_S,
  ConstantLoad,
} from "./soak/load.ts";

const REPORT = "reports/soak.json";

const SERVERS = 3;

/**
 * The sampling interval, longer if a soak would have more than `SAMPLES_MAX`.
 */
const SAMPLE_INTERVAL_S_MIN = 2;
const SAMPLES_MAX = 900;

const ABOUT = `Runs three servers and Envoy under ${CALLS_PER_S} calls and \
${CONNECTIONS_PER_S} new connections a second, and
watches every program's memory. No call may be lost, no server may restart,
and after the first third, or 10 minutes, no program may grow by ${MIB_PER_MINUTE_MAX} MiB a minute;
a soak of less than 8 minutes is too short to judge that. Exit code: 0 if all hold,
${EXIT_CODES.failed} if not. The report is ${REPORT}.`;

const FLAGS = {
  minutes: {
    name: "minutes",
    placeholder: "MINUTES",
    help: "How long",
    default: 30,
    parse: wholeNumber(1, 10_080),
  },
} as const satisfies FlagRows;

type Samples = ReadonlyMap<string, MemorySample[]>;

/** Takes samples until the time is up, the load ends or it is stopped. */
async function sample(
  stack: NativeStack,
  load: ConstantLoad,
  durationS: number,
  signal: AbortSignal,
): Promise<Samples> {
  const samples = new Map<string, MemorySample[]>();
  const startMs = performance.now();
  const intervalS = Math.max(SAMPLE_INTERVAL_S_MIN, durationS / SAMPLES_MAX);
  let minute = 0;
  while (!signal.aborted && load.pid !== undefined) {
    const atS = (performance.now() - startMs) / 1000;
    if (atS >= durationS) break;
    const own = await residentMib([load]);
    for (const [name, mib] of [...await stack.memoryMib(), ...own]) {
      const known = samples.get(name) ?? [];
      samples.set(name, [...known, { atS, mib }]);
    }
    if (atS / 60 >= minute) {
      const now = [...samples].map(([name, all]) =>
        `${name} ${all.at(-1)?.mib.toFixed(0)}`
      );
      print(`minute ${minute}: MiB of ${now.join(", ")}`);
      minute += 1;
    }
    await waitUntil(
      () => load.pid === undefined,
      intervalS * 1000,
      signal,
    );
  }
  return samples;
}

/** What is wrong with the calls; empty if nothing is. */
function callComplaints(
  what: string,
  calls: Calls | undefined,
): readonly string[] {
  if (calls === undefined) return [`the ${what} ended without a result`];
  if (calls.made === 0) return [`the ${what} made no call`];
  if (calls.lost === 0) return [];
  return [`${calls.lost} of ${calls.made} calls of the ${what} are lost`];
}

/** The servers that have restarted. */
async function startedAgain(
  stack: NativeStack,
  durationMs: number,
): Promise<readonly string[]> {
  const words = await Promise.all(
    stack.servers().map(async ({ name }) => {
      const { uptimeMs } = await stack.counters(name);
      return uptimeMs < durationMs ? [`${name} has restarted`] : [];
    }),
  );
  return words.flat();
}

async function soak(minutes: number): Promise<number> {
  const { signal } = listenForStop(killAllChildren);
  survivePeerErrors(() => {}, (error) => exitWithFailure("soak", error));
  const complaints: string[] = [];
  const envoy = await findTool("envoy", { onProgress: printError, signal });
  const stack = await NativeStack.start({
    servers: SERVERS,
    ...freePorts(),
    envoyPath: envoy.path,
    signal,
    onCrash: (program, status) =>
      complaints.push(`${program} ended (${exitWords(status)})`),
  });
  const startedAt = new Date();
  const done = new AbortController();
  try {
    const load = new ConstantLoad(stack, minutes * 60);
    const coming = comeAndGo(stack, done.signal);
    const samples = await sample(stack, load, minutes * 60, signal);
    done.abort();
    const [short, constant] = await Promise.all([coming, load.end()]);
    complaints.push(
      ...callComplaints("client", constant),
      ...callComplaints("short-lived callers", short),
      ...await startedAgain(stack, Date.now() - startedAt.getTime()),
      ...(signal.aborted ? ["it was stopped early"] : []),
    );
    const facts = { minutes, startedAt, samples, constant, short };
    return await conclude(facts, complaints);
  } finally {
    done.abort();
    await stack.close();
  }
}

/** Prints and writes the result. @returns The exit code. */
async function conclude(
  { samples, ...facts }: {
    readonly minutes: number;
    readonly startedAt: Date;
    readonly samples: Samples;
    readonly constant: Calls | undefined;
    readonly short: Calls;
  },
  complaints: string[],
): Promise<number> {
  const programs = [...samples].map(([program, own]) => ({
    program,
    ...growth(own),
    samples: own,
  }));
  for (const { program, verdict, mibPerMinute } of programs) {
    if (verdict !== "broken") continue;
    complaints.push(
      `${program} grows by ${mibPerMinute?.toFixed(2)} MiB a minute`,
    );
  }
  await Deno.mkdir("reports", { recursive: true });
  const report = { ...facts, complaints, programs };
  await Deno.writeTextFile(REPORT, JSON.stringify(report, null, 1) + "\n");
  tableLines(
    ["program", "MiB, most", "MiB a minute"],
    programs.map(({ program, mibMax, mibPerMinute }) => [
      program,
      mibMax.toFixed(0),
      mibPerMinute?.toFixed(2) ?? "- (too short)",
    ]),
  ).forEach((line) => print(line));
  print(
    `${(facts.constant?.made ?? 0) + facts.short.made} calls, ` +
      `${facts.short.made} of them on new connections`,
  );
  complaints.forEach((complaint) => printError(`soak: ${complaint}`));
  print(`soak: ${complaints.length === 0 ? "HELD" : "BROKEN"}; ${REPORT}`);
  return complaints.length === 0 ? 0 : EXIT_CODES.failed;
}

if (import.meta.main) {
  await runProgram("soak", async () => {
    const { values, help } = parseFlags(FLAGS, Deno.args);
    if (!help) return await soak(values.minutes);
    print(helpText("soak [flags]", ABOUT, FLAGS));
    return 0;
  });
}
