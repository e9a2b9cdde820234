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
import type { Report, Work } from "./calls.ts";

/**
 * A call without an answer by then is lost; even a busy machine answers sooner.
 */
const DEADLINE_MS = 8_000;

/** Time for a closed client to send its GOAWAY. */
const GOODBYE_MS = 250;

async function call(client: GreeterClient, report: Report): Promise<void> {
  report.calls += 1;
  const startedAtMs = Date.now();
  const { reply, status, details } = await callToEnd(
    client,
    "SayHello",
    { name: "gate" },
    { deadlineMs: DEADLINE_MS },
  );
  const endedAtMs = Date.now();
  if (reply !== undefined) report.successesAtMs.push(endedAtMs);
  else {
    report.failures.push({ startedAtMs, endedAtMs, code: status, details });
  }
}

/** Counts the client's lost connections, until it is closed. */
function watch(client: GreeterClient, report: Report): void {
  const channel = client.getChannel();
  let state = channel.getConnectivityState(false);
  const onChange = () => {
    const next = channel.getConnectivityState(false);
    const isOurs = next === connectivityState.SHUTDOWN;
    if (state === connectivityState.READY && next !== state && !isOurs) {
      report.disconnects += 1;
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
  report: Report,
  { calls, ratePerS = Infinity, concurrency }: Extract<Work, { kind: "load" }>,
): Promise<void> {
  const client = connect(Greeter, target);
  watch(client, report);
  await runOpenLoop({
    ratePerS,
    count: calls,
    ...(concurrency === undefined ? {} : { concurrency }),
    signal: listenForStop().signal,
    makeCall: () => call(client, report),
  });
  client.close();
}

async function openConnections(
  target: string,
  report: Report,
  work: Extract<Work, { kind: "connections" }>,
): Promise<void> {
  const clients = Array.from(
    { length: work.connections },
    () => connect(Greeter, target),
  );
  clients.forEach((client) => watch(client, report));
  await Promise.all(clients.map((client) => call(client, report)));
  const isClosed = () => report.disconnects >= clients.length;
  await waitUntil(isClosed, work.limitMs);
  await Promise.all(clients.map(async (client) => {
    for (let made = 0; made < work.callsAfter; made += 1) {
      await call(client, report);
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
  const report: Report = {
    calls: 0,
    failures: [],
    successesAtMs: [],
    disconnects: 0,
  };
  if (work.kind === "load") await load(target, report, work);
  else await openConnections(target, report, work);
  await pause(GOODBYE_MS);
  print(JSON.stringify(report));
  return 0;
}

if (import.meta.main) await runProgram("driver", run);
