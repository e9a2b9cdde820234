/**
 * The command `load`: runs a load test, and a stack for it if there is none.
 */
import { EXIT_CODES, Failure } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
} from "../core/flags.ts";
import { commandWords } from "../io/build.ts";
import { listenForStop } from "../io/program.ts";
import { paint, print, printError } from "../io/terminal.ts";
import { speaksTls } from "../io/tls.ts";
import { findTool } from "../io/tools.ts";
import { killAllChildren } from "../io/child.ts";
import { type LoadSettings, readLoadSettings } from "../core/load/settings.ts";
import {
  isShapeName,
  SHAPE_DEFAULT,
  SHAPE_DEFAULT_L4,
  type ShapeName,
  SHAPES,
} from "../core/load/shapes.ts";
import { textOf } from "../core/load/table.ts";
import { UNKNOWN_EXIT_CODE } from "../core/load/verdict.ts";
import {
  fillRunFolder,
  makeRunFolder,
  REPORTS,
  RUN_FILES,
} from "../io/run_folder.ts";
import { agrees, recordLines } from "../load/report.ts";
import { type LoadRunOptions, recordRun } from "../load/run.ts";
import { NativeStack } from "../stack/native.ts";
import { PORT_FLAGS, requireDistinctPorts } from "./up_flags.ts";
import { loadHtml } from "./records.ts";

const LOAD_FLAGS = {
  l4: {
    name: "l4",
    help: "Load the L4 listener, which balances connections, not calls",
    switch: true,
  },
  grpcPort: {
    ...PORT_FLAGS.grpcPort,
    help: "Port of the stack on this machine; the L4 listener is one above",
  },
  adminPort: {
    ...PORT_FLAGS.adminPort,
    help: `${PORT_FLAGS.adminPort.help}, if a stack is started`,
  },
  serverPort: {
    ...PORT_FLAGS.serverPort,
    help: "Port of every server, if a stack is started",
  },
} as const satisfies FlagRows;

type LoadFlags = FlagValues<typeof LOAD_FLAGS>;

function about(): string {
  const shapes = Object.entries(SHAPES);
  const width = Math.max(...shapes.map(([name]) => name.length));
  return [
    "Runs a load test with k6. If nothing listens on the port, a native stack",
    "is started for it. Exit code: 0 when every threshold holds, 99 when one",
    `does not, ${UNKNOWN_EXIT_CODE} when that cannot be told: the machine was too busy, or servers`,
    "and Envoy did not say what they had counted. The last line is the path of",
    "the report.",
    "",
    "Shapes:",
    ...shapes.map(([name, { question }]) =>
      `  ${name.padEnd(width)}  ${question}`
    ),
    "",
    `Settings are variables: RATE=600 DURATION=1m ${commandWords()} load constant-rate. With`,
    "TARGET=host:port another machine is loaded, and no stack is started.",
    "loadtest/README.md lists them all.",
  ].join("\n");
}

/**
 * Runs the command.
 *
 * @param argv The arguments after "load".
 * @returns k6's exit code; 4 if the machine was busy or nothing could be
 * counted, 1 if only the ledgers disagree.
 * @throws {Failure} When a flag or a setting is wrong, or k6 or a stack cannot
 * start.
 */
export async function load(argv: readonly string[]): Promise<number> {
  const { values: flags, positionals, help } = parseFlags(LOAD_FLAGS, argv, {
    positionalsMax: 1,
  });
  if (help) {
    print(helpText("load [SHAPE] [flags]", about(), LOAD_FLAGS));
    return 0;
  }
  const shape = positionals[0] ??
    (flags.l4 ? SHAPE_DEFAULT_L4 : SHAPE_DEFAULT);
  if (!isShapeName(shape)) {
    throw new Failure(
      "usage",
      `"${shape}" is not a shape; the shapes are ${
        Object.keys(SHAPES).join(", ")
      }`,
    );
  }
  const env = environment(flags);
  const settings = readSettings(shape, env);
  const stop = listenForStop(killAllChildren);
  const isTarget = Deno.env.get("TARGET") !== undefined;
  const isStackNeeded = !isTarget && !await listens(flags.grpcPort);
  if (!isTarget && !isStackNeeded) await requirePlainText(flags.grpcPort);
  const k6 = await findTool("k6", {
    onProgress: printError,
    signal: stop.signal,
  });
  const stack = isStackNeeded
    ? await startStack(flags, settings.servers, stop.signal)
    : undefined;
  try {
    return await runShape(shape, {
      k6Path: k6.path,
      env,
      stack,
      // Envoy does not count calls on the L4 listener.
      isReconciled: !flags.l4,
      signal: stop.signal,
    });
  } finally {
    await stack?.close();
  }
}

/** The load test's variables in addition to the user's own. */
function environment(
  { grpcPort, l4 }: LoadFlags,
): Readonly<Record<string, string>> {
  const given = Deno.env.get("TARGET");
  if (given !== undefined && l4) {
    throw new Failure(
      "usage",
      `--l4 is for the stack on this machine, but TARGET is ` +
        `"${given}"; leave out one of them`,
    );
  }
  const own = ["REPORT", "RECORD", "REFERENCE"]
    .find((name) => Deno.env.get(name) !== undefined);
  if (own !== undefined) {
    throw new Failure(
      "usage",
      `${own} is set by load and only for plain k6; leave it out`,
    );
  }
  if (given !== undefined) return { TARGET: given };
  if (!l4) return { TARGET: `localhost:${grpcPort}` };
  return {
    TARGET: `localhost:${grpcPort + 1}`,
    L7_TARGET: `localhost:${grpcPort}`,
    // One connection shows best what L4 does.
    CONNECTIONS: Deno.env.get("CONNECTIONS") ?? "1",
  };
}

/** @throws {Failure} `usage`, with one line for every problem. */
function readSettings(
  shape: ShapeName,
  env: Readonly<Record<string, string>>,
): LoadSettings {
  const settings = readLoadSettings(shape, { ...Deno.env.toObject(), ...env });
  if (settings.problems.length > 0) {
    throw new Failure("usage", settings.problems.join("\n"));
  }
  return settings;
}

async function listens(portNumber: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "localhost", port: portNumber })).close();
    return true;
  } catch {
    return false; // Whatever the reason, nothing there can be loaded.
  }
}

async function requirePlainText(portNumber: number): Promise<void> {
  const target = `localhost:${portNumber}`;
  if (!await speaksTls(target)) return;
  throw new Failure(
    "environment",
    `${target} speaks TLS, which load tests do not: start ` +
      `\`${commandWords()} up\` without --tls, or name another port with --port`,
  );
}

async function startStack(
  flags: LoadFlags,
  servers: number,
  signal: AbortSignal,
): Promise<NativeStack> {
  requireDistinctPorts(flags);
  print(
    `Nothing listens on localhost:${flags.grpcPort}; starting ${servers} ` +
      "servers and Envoy for this run",
  );
  const envoy = await findTool("envoy", { onProgress: printError, signal });
  return await NativeStack.start({
    servers,
    grpcPort: flags.grpcPort,
    l4Port: flags.grpcPort + 1,
    adminPort: flags.adminPort,
    serverPort: flags.serverPort,
    envoyPath: envoy.path,
    signal,
    onCrash: (program) => printError(`load: ${program} ended unexpectedly`),
  });
}

/** Records a run, then reports from the record. */
async function runShape(
  shape: ShapeName,
  options: LoadRunOptions,
): Promise<number> {
  const name = `load-${shape}`;
  const folder = await makeRunFolder(REPORTS, name);
  const { record, code } = await recordRun(shape, folder, options);
  if (record === undefined) {
    // Set-up stopped the run and said why; there is nothing to report.
    await Deno.remove(folder, { recursive: true });
    return code;
  }
  const lines = recordLines(record);
  const page = await fillRunFolder(folder, {
    kind: "load",
    record,
    page: loadHtml(record),
  });
  await Deno.remove(`${folder}/${RUN_FILES.k6}`);
  textOf(record.report, lines, paint).forEach(print);
  print(`${Deno.cwd()}/${page}`);
  if (record.verdict === "unknown") return UNKNOWN_EXIT_CODE;
  const isWrong = record.ledgers !== null && !agrees(record.ledgers);
  return code === 0 && isWrong ? EXIT_CODES.failed : code;
}
