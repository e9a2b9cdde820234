/** Native stacks for tests: free ports, side by side, always closed. */
import { runOpenLoop } from "../src/io/open_loop.ts";
import { Greeter, type GreeterClient } from "../src/io/proto.ts";
import { callToEnd, connect } from "../src/io/rpc.ts";
import { findTool } from "../src/io/tools.ts";
import { GRPC_CLUSTER } from "../src/stack/envoy_config.ts";
import { freePort as freePortBut, freePorts } from "../src/stack/free_port.ts";
import { awaitHealthy as awaitHealthyOf } from "../src/stack/healthy.ts";
import { type NativeOptions, NativeStack } from "../src/stack/native.ts";
import type { Stack } from "../src/stack/stack.ts";

/** Ports that a test has taken; two stacks of one process never share one. */
const taken = new Set<number>();

/** A port that is free on the loopback addresses, as is the one above it. */
export function freePort(): number {
  return freePortBut(taken);
}

/** Runs `work` on a native stack of its own, which is closed afterwards. */
export async function withStack(
  options: Partial<NativeOptions>,
  work: (stack: NativeStack, lines: readonly string[]) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const envoy = await findTool("envoy");
  const stack = await NativeStack.start({
    servers: 3,
    ...freePorts(taken),
    envoyPath: envoy.path,
    onLine: (program, line) => lines.push(`${program} | ${line}`),
    ...options,
  });
  try {
    await work(stack, lines);
  } finally {
    await stack.close();
  }
}

/** Calls that were made, by the server that answered or the error. */
export interface Tally {
  readonly servers: Map<string, number>;
  readonly errors: Map<string, number>;
  readonly latenciesMs: number[];
}

/** One call, counted. */
async function countCall(
  client: GreeterClient,
  tally: Tally,
  workMs: number,
): Promise<void> {
  const startedAtMs = performance.now();
  const { reply, status, details } = await callToEnd(
    client,
    "SayHello",
    { name: "test", workMs },
    { deadlineMs: 10_000 },
  );
  const [counts, key] = reply === undefined
    ? [tally.errors, `${status}: ${details}`]
    : [tally.servers, reply.server];
  counts.set(key, (counts.get(key) ?? 0) + 1);
  tally.latenciesMs.push(performance.now() - startedAtMs);
}

function emptyTally(): Tally {
  return { servers: new Map(), errors: new Map(), latenciesMs: [] };
}

/** Makes `count` calls on one connection, at most `concurrency` at once. */
export async function callMany(
  target: string,
  count: number,
  { concurrency = 50, workMs = 0 } = {},
): Promise<Tally> {
  const client = connect(Greeter, target);
  const tally = emptyTally();
  await runOpenLoop({
    ratePerS: Infinity,
    count,
    concurrency,
    makeCall: () => countCall(client, tally, workMs),
  });
  client.close();
  return tally;
}

/** Calls at an even pace while `work` runs, and until every call has ended. */
export async function callDuring(
  target: string,
  ratePerS: number,
  work: () => Promise<void>,
): Promise<Tally> {
  const client = connect(Greeter, target);
  const tally = emptyTally();
  const done = new AbortController();
  const calls = runOpenLoop({
    ratePerS,
    signal: done.signal,
    makeCall: () => countCall(client, tally, 0),
  });
  try {
    await work();
  } finally {
    done.abort();
    await calls;
    client.close();
  }
  return tally;
}

/** How many servers Envoy finds healthy now. */
export async function healthyCount(stack: Stack): Promise<number> {
  const name = `cluster.${GRPC_CLUSTER}.membership_healthy`;
  return (await stack.admin.stats(`^${name}$`)).get(name) ?? 0;
}

/** Waits until Envoy finds `count` servers healthy, however many there are. */
export function awaitHealthy(stack: Stack, count: number): Promise<number> {
  const isReached = (healthy: number) => healthy === count;
  return awaitHealthyOf(stack.admin, count, { isReached });
}

/** The sum of a map's counts. */
export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
