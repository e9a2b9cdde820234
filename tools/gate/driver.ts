/**
 * The client side of the runtime gate. It runs under the tested Deno, does the
 * work its one argument describes, prints a report and exits.
 */
import { connectivityState } from "@grpc/grpc-js";
import { runOpenLoop } from "../../src/io/open_loop.ts";
import { Greeter, type GreeterClient } from "../../src/io/proto.ts";
import { callToEnd, connect } from "../../src/io/rpc.ts";
import {
  exitWithFailure,
  listenForStop,
  runProgram,
} from "../../src/io/program.ts";
import { survivePeerErrors } from "../../src/io/peer_errors.ts";
import { print } from "../../src/io/terminal.ts";
import { pause, waitUntil } from "../../src/io/wait.ts";
import type { FailedCall, Report, Work } from "./calls.ts";

/**
 * A call without an answer by then is lost; even a busy machine answers sooner.
 */
const DEADLINE_MS = 8_000;

/** Time for a closed client to send its GOAWAY. */
const GOODBYE_MS = 250;

/** Fresh connections opened concurrently. */
const FRESH_AT_ONCE = 10;

/** Counts calls and lost connections. */
class Ledger {
  calls = 0;
  disconnects = 0;
  readonly failures: FailedCall[] = [];
  readonly successesAtMs: number[] = [];

  report(): Report {
    const { calls, failures, successesAtMs, disconnects } = this;
    return { calls, failures, successesAtMs, disconnects };
  }
}

async function call(client: GreeterClient, ledger: Ledger): Promise<void> {
  ledger.calls += 1;
  const startedAtMs = Date.now();
  const { reply, status, details } = await callToEnd(
    client,
    "SayHello",
    { name: "gate" },
    { deadlineMs: DEADLINE_MS },
  );
  const endedAtMs = Date.now();
  if (reply !== undefined) ledger.successesAtMs.push(endedAtMs);
  else {
    ledger.failures.push({ startedAtMs, endedAtMs, code: status, details });
  }
}

/** Counts the client's lost connections, until it is closed. */
function watch(client: GreeterClient, ledger: Ledger): void {
  const channel = client.getChannel();
  let state = channel.getConnectivityState(false);
  const onChange = () => {
    const next = channel.getConnectivityState(false);
    const isOurs = next === connectivityState.SHUTDOWN;
    if (state === connectivityState.READY && next !== state && !isOurs) {
      ledger.disconnects += 1;
    }
    state = next;
    listen();
  };
  const listen = () => {
    if (state === connectivityState.SHUTDOWN) return;
    channel.watchConnectivityState(state, Infinity, (error) => {
      if (error === undefined) onChange();
    });
  };
  listen();
}

async function load(
  target: string,
  ledger: Ledger,
  { calls, ratePerS = Infinity, concurrency }: Extract<Work, { kind: "load" }>,
): Promise<void> {
  const client = connect(Greeter, target);
  watch(client, ledger);
  await runOpenLoop({
    ratePerS,
    count: calls,
    ...(concurrency === undefined ? {} : { concurrency }),
    signal: listenForStop().signal,
    makeCall: () => call(client, ledger),
  });
  client.close();
}

async function fresh(
  target: string,
  ledger: Ledger,
  { connections }: Extract<Work, { kind: "fresh" }>,
): Promise<void> {
  await runOpenLoop({
    ratePerS: Infinity,
    count: connections,
    concurrency: FRESH_AT_ONCE,
    makeCall: async () => {
      const client = connect(Greeter, target);
      await call(client, ledger);
      client.close();
    },
  });
}

async function idle(
  target: string,
  ledger: Ledger,
  work: Extract<Work, { kind: "idle" }>,
): Promise<void> {
  const clients = Array.from(
    { length: work.connections },
    () => connect(Greeter, target),
  );
  clients.forEach((client) => watch(client, ledger));
  await Promise.all(clients.map((client) => call(client, ledger)));
  const isClosed = () => ledger.disconnects >= clients.length;
  await waitUntil(isClosed, work.limitMs);
  await Promise.all(clients.map(async (client) => {
    for (let made = 0; made < work.callsAfter; made += 1) {
      await call(client, ledger);
    }
    client.close();
  }));
}

async function run(): Promise<number> {
  const [target = "", text = ""] = Deno.args;
  // Run first, to see whether this Deno runs our code at all.
  if (text === "") return 0;
  survivePeerErrors(() => {}, (error) => exitWithFailure("driver", error));
  const work = JSON.parse(text) as Work;
  const ledger = new Ledger();
  if (work.kind === "fresh") await fresh(target, ledger, work);
  else if (work.kind === "idle") await idle(target, ledger, work);
  else await load(target, ledger, work);
  await pause(GOODBYE_MS);
  print(JSON.stringify(ledger.report()));
  return 0;
}

if (import.meta.main) await runProgram("driver", run);
