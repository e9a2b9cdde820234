// Discovers the servers before anything is measured.
import { sleep } from "k6";
import exec from "k6/execution";
import type { LoadSettings } from "../../src/core/load/settings.ts";
import { Caller } from "./greeter.ts";

/** What set-up passes to every VU and to the summary. */
export interface Discovered {
  /** The names of the servers, sorted. */
  readonly names: readonly string[];
  /** Calls on one connection through L7_TARGET, by server; null without it. */
  readonly l7Calls: Readonly<Record<string, number>> | null;
}

/**
 * What was just started is waited for. In a pod all is refused for some 2 s,
 * until the network policies that are for it have an effect.
 */
const START_LIMIT_MS = 5000;

/** Calls per server on L7_TARGET, for comparison. */
export const L7_CALLS_PER_SERVER = 100;

/**
 * Finds the servers that answer. Every call has its own connection, so that
 * servers behind a proxy that balances connections are found, too. It ends when
 * ten calls per expected server in a row have found no new name.
 *
 * Aborts the run with one sentence when a setting is wrong, nothing listens, or
 * the listener is not the demo's service.
 */
export function discoverServers(settings: LoadSettings): Discovered {
  if (settings.problems.length > 0) {
    exec.test.abort(settings.problems.join("; "));
  }
  const { target, l7Target } = settings;
  const names = new Set<string>();
  const patience = 10 * settings.servers;
  const caller = new Caller(target);
  for (let sinceNew = 0; sinceNew < patience; sinceNew += 1) {
    const server = firstCall(caller, settings);
    caller.disconnect();
    if (names.has(server)) continue;
    names.add(server);
    sinceNew = 0;
  }
  return {
    names: [...names].sort(byNumber),
    l7Calls: l7Target === "" ? null : callsOverL7(settings),
  };
}

/** Makes the calls to compare L4 with: on one connection, one by one. */
function callsOverL7(settings: LoadSettings): Record<string, number> {
  const caller = new Caller(settings.l7Target);
  const calls: Record<string, number> = {};
  const count = L7_CALLS_PER_SERVER * settings.servers;
  for (let call = 0; call < count; call += 1) {
    const server = firstCall(caller, settings);
    calls[server] = (calls[server] ?? 0) + 1;
  }
  caller.disconnect();
  return Object.fromEntries(
    Object.entries(calls).sort(([a], [b]) => byNumber(a, b)),
  );
}

/** Makes a call of set-up. @returns The name of the server that answered. */
function firstCall(caller: Caller, settings: LoadSettings): string {
  const { target } = caller;
  connect(caller);
  const { isOk, server, error } = caller.sayHello(settings, {});
  if (!isOk) {
    exec.test.abort(`The first calls to ${target} must succeed: ${error}`);
  }
  if (server === "") {
    exec.test.abort(
      `Replies of ${target} have no header "x-server-name", which ` +
        "identifies the server; start the demo's own server",
    );
  }
  return server;
}

/** Connects within {@linkcode START_LIMIT_MS}, or aborts the run. */
function connect(caller: Caller): void {
  const limitAtMs = Date.now() + START_LIMIT_MS;
  while (true) {
    try {
      caller.connectOnce();
      return;
    } catch (error) {
      if (Date.now() >= limitAtMs) {
        exec.test.abort(
          `Nothing to test at ${caller.target} (${reasonOf(error)}); start ` +
            "it with `./denow task up --no-client` or `docker compose up`, or " +
            "set TARGET",
        );
      }
    }
    sleep(0.5);
  }
}

/** Sorts "server-10" after "server-9". */
function byNumber(a: string, b: string): number {
  const number = (name: string) => Number(/[0-9]+$/.exec(name)?.[0] ?? 0);
  return number(a) - number(b) || (a < b ? -1 : 1);
}

/** The last part of k6's nested errors: "connect: connection refused". */
function reasonOf(error: unknown): string {
  const { message = error } = error as { message?: unknown };
  return (String(message).split(": ").at(-1) ?? "").replace(/["\\]/g, "");
}
