/** The command `load`: one of the load tests, on a stack that is there or not. */
import { basename } from "node:path";
import { Failure } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
  port,
  wholeNumber,
} from "../core/flags.ts";
import { listenForStop } from "../io/program.ts";
import { print, printError } from "../io/terminal.ts";
import { findTool } from "../io/tools.ts";
import { killAllChildren } from "../io/child.ts";
import { type K6Result, killAllK6, runK6 } from "../load/k6.ts";
import {
  addToReport,
  agrees,
  type Counted,
  generatorLine,
  type Ledgers,
  ledgersLine,
  ledgersOf,
  readCounted,
  readReport,
} from "../load/report.ts";
import { type Shape, SHAPE_DEFAULT, SHAPES } from "../load/shapes.ts";
import { NATIVE_SERVERS_MAX, NativeStack } from "../stack/native.ts";

const LOAD_FLAGS = {
  l4: {
    name: "l4",
    help: "Load the L4 listener, which balances connections, not calls",
    switch: true,
  },
  grpcPort: {
    name: "port",
    placeholder: "PORT",
    help: "Port of the stack on this machine; the L4 listener is one above",
    default: 5000,
    parse: wholeNumber(1, 65_534),
  },
  adminPort: {
    name: "admin-port",
    placeholder: "PORT",
    help: "Port of Envoy's admin page, if a stack is started",
    default: 9901,
    parse: port(),
  },
  serverPort: {
    name: "server-port",
    placeholder: "PORT",
    help: "Port of every server, if a stack is started",
    default: 8080,
    parse: port(),
  },
} as const satisfies FlagRows;

/** What the name of k6's dashboard has behind the report's. */
const DASHBOARD_ENDING = "-dashboard.html";

type LoadFlags = FlagValues<typeof LOAD_FLAGS>;

function about(): string {
  const shapes = Object.entries(SHAPES);
  const width = Math.max(...shapes.map(([name]) => name.length));
  return [
    "Runs a load test with k6. If nothing listens on the port, a native stack",
    "is started for it. The exit code is k6's: 0 when every threshold holds, 99",
    "when one does not. The last line is the path of the report.",
    "",
    "Shapes:",
    ...shapes.map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
    "",
    "Settings are variables: RATE=600 DURATION=1m deno task load steady. With",
    "TARGET=host:port another machine is loaded, and no stack is started.",
    "loadtest/README.md has them all.",
  ].join("\n");
}

/**
 * Runs the command.
 *
 * @param argv The arguments behind "load".
 * @returns k6's exit code; 1 if only the ledgers disagree.
 * @throws {Failure} When a flag is wrong, or k6 or a stack cannot start.
 */
export async function load(argv: readonly string[]): Promise<number> {
  const { values: flags, positionals, help } = parseFlags(LOAD_FLAGS, argv, {
    positionalsMax: 1,
  });
  if (help) {
    print(helpText("load [SHAPE] [flags]", about(), LOAD_FLAGS));
    return 0;
  }
  const name = positionals[0] ?? SHAPE_DEFAULT;
  const shape = SHAPES[name];
  if (shape === undefined) {
    throw new Failure(
      "usage",
      `"${name}" is not a shape; the shapes are ${
        Object.keys(SHAPES).join(", ")
      }`,
    );
  }
  const targetGiven = Deno.env.get("TARGET");
  if (targetGiven !== undefined && flags.l4) {
    throw new Failure(
      "usage",
      `--l4 is for the stack on this machine, but TARGET is ` +
        `"${targetGiven}"; leave out one of them`,
    );
  }
  const stop = listenForStop(() => {
    killAllK6();
    killAllChildren();
  });
  const k6 = await findTool("k6", {
    onProgress: printError,
    signal: stop.signal,
  });
  const isStackNeeded = targetGiven === undefined &&
    !await listens(flags.grpcPort);
  const stack = isStackNeeded
    ? await startStack(flags, stop.signal)
    : undefined;
  try {
    return await runShape(name, shape, {
      k6Path: k6.path,
      target: targetGiven ??
        `localhost:${flags.l4 ? flags.grpcPort + 1 : flags.grpcPort}`,
      stack,
      // Envoy counts no calls on the L4 listener.
      isReconciled: !flags.l4,
      signal: stop.signal,
    });
  } finally {
    await stack?.close();
  }
}

async function listens(portNumber: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "localhost", port: portNumber })).close();
    return true;
  } catch {
    return false; // Whatever the reason, there is nothing to load.
  }
}

async function startStack(
  flags: LoadFlags,
  signal: AbortSignal,
): Promise<NativeStack> {
  const servers = serversWanted();
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

/** As many servers as the script will expect. */
function serversWanted(): number {
  const text = Deno.env.get("SERVERS") ?? "3";
  try {
    return wholeNumber(1, NATIVE_SERVERS_MAX)(text);
  } catch (error) {
    throw new Failure(
      "usage",
      `SERVERS ${(error as RangeError).message}: "${text}"`,
      { cause: error },
    );
  }
}

interface RunContext {
  readonly k6Path: string;
  readonly target: string;
  /** The stack that was started for this run, if any. */
  readonly stack: NativeStack | undefined;
  readonly isReconciled: boolean;
  readonly signal: AbortSignal;
}

async function runShape(
  name: string,
  shape: Shape,
  context: RunContext,
): Promise<number> {
  const { k6Path, target, stack, signal } = context;
  const folder = `${Deno.cwd()}/reports`;
  await Deno.mkdir(folder, { recursive: true });
  const prefix = `${folder}/load-${name}-${timestamp()}`;
  const before = stack === undefined ? undefined : await readCounted(stack);
  const result = await runK6({
    path: k6Path,
    script: shape.script,
    env: {
      TARGET: target,
      REPORT: prefix,
      K6_WEB_DASHBOARD: "true",
      // The file only; nothing listens.
      K6_WEB_DASHBOARD_PORT: "-1",
      K6_WEB_DASHBOARD_EXPORT: `${prefix}${DASHBOARD_ENDING}`,
      // Short runs too have a few points to draw.
      ...(name === "soak" ? {} : { K6_WEB_DASHBOARD_PERIOD: "1s" }),
    },
    signal,
  });
  const ledgers = await complete(prefix, result, before, context);
  const isWrong = ledgers !== undefined && !agrees(ledgers);
  return result.code === 0 && isWrong ? 1 : result.code;
}

/** Adds to the report what k6 does not know, and says it. */
async function complete(
  prefix: string,
  { generator }: K6Result,
  before: Counted | undefined,
  { stack, isReconciled, signal }: RunContext,
): Promise<Ledgers | undefined> {
  const report = await readReport(prefix);
  if (report === undefined) return undefined;
  const after = stack === undefined ? undefined : await readCounted(stack);
  // A run that was stopped leaves calls that only one side has counted.
  const ledgers = before === undefined || after === undefined ||
      !isReconciled || signal.aborted
    ? undefined
    : ledgersOf(report, before, after);
  await addToReport(prefix, report, {
    generator,
    ledgers,
    dashboard: await dashboardOf(prefix),
  });
  if (generator !== undefined) print(generatorLine(generator));
  if (ledgers !== undefined) {
    print(ledgersLine(ledgers));
    if (!agrees(ledgers)) {
      printError(
        "load: these must be equal; the bench or a server is at fault",
      );
    }
  }
  print(`${prefix}.html`);
  return ledgers;
}

/** The name of k6's dashboard; k6 makes none for a run of a few seconds. */
async function dashboardOf(prefix: string): Promise<string | undefined> {
  const path = `${prefix}${DASHBOARD_ENDING}`;
  try {
    await Deno.stat(path);
    return basename(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  }
}

/** "20261124-031500": sorts by time, and is a file's name everywhere. */
function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replace(/[-:]/g, "")
    .replace("T", "-");
}
