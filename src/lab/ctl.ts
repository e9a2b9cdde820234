/** The command `ctl`: controls a running `up` from another terminal. */
import { Failure, messageOf } from "../core/errors.ts";
import { FAULT_KINDS, type FaultKind } from "../core/fault.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  oneOf,
  parseFlags,
  port,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { tableLines } from "../core/table.ts";
import { commandWords } from "../io/build.ts";
import { requestLocal } from "../io/local_http.ts";
import { print } from "../io/terminal.ts";
import { SERVER_ACTIONS } from "../control/actions.ts";
import { CALL_KINDS, type CallKind, type State } from "../control/state.ts";
import { findRuns, type PageOfRun } from "../stack/run_file.ts";

const FLAGS = {
  kind: {
    name: "kind",
    placeholder: "KIND",
    help: `fault: ${FAULT_KINDS.join(", ")} [status]; load: ${
      CALL_KINDS.join(", ")
    }`,
    default: undefined as FaultKind | CallKind | undefined,
    parse: oneOf([...FAULT_KINDS, ...CALL_KINDS]),
  },
  durationMs: {
    name: "duration",
    placeholder: "MILLIS",
    help: "fault: how long it lasts",
    default: 15_000,
    parse: wholeNumber(1, 600_000),
  },
  delayMs: {
    name: "delay",
    placeholder: "MILLIS",
    help: "fault: the delay of --kind delay",
    default: 200,
    parse: wholeNumber(0, 60_000),
  },
  ratePerS: {
    name: "rate",
    placeholder: "CALLS",
    help: "load: calls a second to each listener",
    default: undefined as number | undefined,
    parse: wholeNumber(0, 500),
  },
  connections: {
    name: "connections",
    placeholder: "COUNT",
    help: "load: connections to each listener",
    default: undefined as number | undefined,
    parse: wholeNumber(1, 16),
  },
  messageCharacters: {
    name: "characters",
    placeholder: "COUNT",
    help: "load: length of the text in each request",
    default: undefined as number | undefined,
    parse: wholeNumber(1, 1024),
  },
  workMs: {
    name: "work",
    placeholder: "MILLIS",
    help: "load: how long the server works on each call",
    default: undefined as number | undefined,
    parse: wholeNumber(0, 1000),
  },
  listeners: {
    name: "listeners",
    placeholder: "NAMES",
    help: "load: l7, l4, or l7,l4",
    default: undefined as string | undefined,
    parse: words(20),
  },
  pagePort: {
    name: "page-port",
    placeholder: "PORT",
    help: "Page port of the `up` to control; 0 is the newest one",
    default: 0,
    parse: port(0),
  },
  json: {
    name: "json",
    help: "Print JSON",
    switch: true,
  },
} as const satisfies FlagRows;

const USAGE = "ctl ACTION [flags]";

const ABOUT = `Controls a running \`up\`. Actions:
  status                show what runs, and Envoy's view of it
  scale COUNT           start or stop servers
  kill SERVER           also terminate, pause, resume, restart, clear
  fault SERVER          make a server slow or wrong for a while
  load                  change the load
  protect ID on|off     switch a protection; status lists them
  restart-envoy         stop Envoy without draining, and restart it`;

/** The values of the flags. */
export type CtlFlags = FlagValues<typeof FLAGS>;

/** A reply may take as long as a server's drain. */
const ANSWER_LIMIT_MS = 60_000;

/**
 * Runs the command.
 *
 * @param argv The arguments after "ctl".
 * @returns The exit code.
 * @throws {Failure} When no `up` runs, or the request is refused.
 */
export async function ctl(argv: readonly string[]): Promise<number> {
  const { values, positionals, help } = parseFlags(FLAGS, argv, {
    positionalsMax: 3,
  });
  if (help) {
    print(helpText(USAGE, ABOUT, FLAGS));
    return 0;
  }
  const [verb, ...rest] = positionals;
  if (verb === undefined) {
    throw new Failure("usage", "ctl needs an action; --help lists them");
  }
  const wish = verb === "status" ? undefined : wishOf(verb, rest, values);
  const page = await pageOfRun(values.pagePort);
  if (wish !== undefined) {
    const answer = await request(page, "api/do", wish);
    if (values.json) print(answer);
    return 0;
  }
  const text = await request(page, "api/state");
  if (values.json) print(text);
  else statusLines(JSON.parse(text) as State).forEach(print);
  return 0;
}

/**
 * The request in these words; `up` decides whether it is possible.
 *
 * @throws {Failure} `usage` when something is missing.
 */
export function wishOf(
  verb: string,
  [first, second]: readonly string[],
  flags: CtlFlags,
): Record<string, unknown> {
  const need = (what: string) => {
    if (first !== undefined) return first;
    throw new Failure("usage", `${verb} needs ${what}`);
  };
  if (verb === "scale") return { do: verb, count: Number(need("a count")) };
  if (verb === "restart-envoy") return { do: verb };
  if (verb === "protect") {
    if (second !== "on" && second !== "off") {
      throw new Failure("usage", "protect needs a protection, and on or off");
    }
    return { do: verb, id: need("a protection"), isOn: second === "on" };
  }
  if (verb === "load") {
    const { ratePerS, connections, kind, messageCharacters, workMs } = flags;
    const listeners = flags.listeners?.split(",");
    const load = {
      ...{ ratePerS, connections, kind: loadKind(kind) },
      ...{ messageCharacters, workMs, listeners },
    };
    const given = Object.entries(load).filter(([, one]) => one !== undefined);
    if (given.length === 0) {
      throw new Failure("usage", "load needs a flag, for example --rate 60");
    }
    return { do: verb, load: Object.fromEntries(given) };
  }
  const isKnown = verb === "fault" ||
    SERVER_ACTIONS.some((known) => known === verb);
  if (!isKnown) {
    throw new Failure(
      "usage",
      `"${verb}" is not an action; --help lists them`,
    );
  }
  const server = need("a server, for example server-2");
  if (verb === "fault") {
    return { do: verb, server, fault: faultOf(flags) };
  }
  return { do: verb, server };
}

/** The fault that these flags ask for; calls fail unless they say how. */
function faultOf(
  { kind = "status", durationMs, delayMs }: CtlFlags,
): Record<string, unknown> {
  switch (kind) {
    case "delay":
      return { kind, durationMs, delayMs };
    case "health": // That is all this kind can do.
      return { kind, durationMs, isServing: false };
    default:
      if (CALL_KINDS.some((one) => one === kind)) {
        throw new Failure(
          "usage",
          `--kind ${kind} is a kind of call, not of fault; --help lists both`,
        );
      }
      return { kind, durationMs };
  }
}

/** The kind of call that these flags ask for. */
function loadKind(kind: CtlFlags["kind"]): CallKind | undefined {
  const found = CALL_KINDS.find((one) => one === kind);
  if (found !== undefined || kind === undefined) return found;
  throw new Failure(
    "usage",
    `--kind ${kind} is a kind of fault, not of call; --help lists both`,
  );
}

/** The page at a port, or that of the newest run. */
async function pageOfRun(port: number): Promise<PageOfRun> {
  const pages = (await findRuns())
    .filter(({ isRunning }) => isRunning)
    .flatMap(({ page }) => page === undefined ? [] : [page])
    .filter(({ url }) => port === 0 || Number(new URL(url).port) === port);
  const page = pages.at(-1);
  if (page !== undefined) return page;
  throw new Failure(
    "environment",
    port === 0
      ? `No \`up\` with a page runs here; start one with \`${commandWords()} up\``
      : `No \`up\` has its page on port ${port}; \`up\` prints the address`,
  );
}

async function request(
  { url, token }: PageOfRun,
  path: string,
  wish?: unknown,
): Promise<string> {
  const { status, body } = await requestLocal(url + path, {
    method: wish === undefined ? "GET" : "POST",
    headers: { "x-token": token, "content-type": "application/json" },
    ...(wish === undefined ? {} : { body: JSON.stringify(wish) }),
    timeoutMs: ANSWER_LIMIT_MS,
  }).catch((error) => {
    throw new Failure(
      "environment",
      `The running \`up\` does not answer at ${url}: ${messageOf(error)}`,
      { cause: error },
    );
  });
  if (status === 200) return body;
  const { error } = JSON.parse(body) as { readonly error: string };
  throw new Failure("failed", error);
}

/** A state for people. */
export function statusLines(state: State): readonly string[] {
  const { envoy, load, ledgers, protections } = state;
  return [
    ...tableLines(
      ["server", "process", "Envoy's view", "active", "started", "p50", "p99"],
      state.servers.map((server) => [
        server.name,
        server.process,
        server.envoy,
        String(server.active),
        String(server.started),
        msText(server.latencyMs?.p50),
        msText(server.latencyMs?.p99),
      ]),
    ),
    "",
    `Envoy: ${envoy.healthy} of ${envoy.total} healthy, ${envoy.retries} ` +
    `retries, ${envoy.ejections} ejections, ${envoy.overflows} overflows`,
    `Load: ${load.ratePerS} ${load.ratePerS === 1 ? "call" : "calls"} a ` +
    `second to ${load.listeners.join(" and ")}`,
    `Ledgers: callers ${ledgers.callers.l7 + ledgers.callers.l4}, ` +
    `servers ${ledgers.servers}. ${ledgers.verdict}`,
    `Protections: ${
      protections.map(({ id, isOn }) => `${id} ${isOn ? "on" : "off"}`)
        .join(", ")
    }`,
  ];
}

/** A latency; "-" while nobody has measured one. */
function msText(ms: number | undefined): string {
  return ms === undefined ? "-" : `${ms.toFixed(1)} ms`;
}
