/** The load of a soak: a client at a constant rate, and short-lived callers. */
import { awaitExit, type Child, startChild } from "../../src/io/child.ts";
import { runOpenLoop } from "../../src/io/open_loop.ts";
import { Greeter } from "../../src/io/proto.ts";
import { callToEnd, connect } from "../../src/io/rpc.ts";
import { programCommand } from "../../src/stack/programs.ts";
import type { Stack } from "../../src/stack/stack.ts";

/** Calls of the client, on one connection through Envoy. */
export const CALLS_PER_S = 300;

/** Connections with one call each, to both listeners in turn. */
export const CONNECTIONS_PER_S = 10;

/** Generous, since the machine may be busy. */
const DEADLINE_MS = 10_000;

/** The outcome of calls. */
export interface Calls {
  readonly made: number;
  readonly lost: number;
}

/** The client's last line of `--json` output. */
interface Summary {
  readonly type: "summary";
  readonly calls: number;
  readonly failed: number;
}

/** The running client program. */
export class ConstantLoad {
  readonly #child: Child;
  #summary: Summary | undefined;

  /** Starts it; it ends by itself after `durationS`. */
  constructor({ endpoint }: Stack, durationS: number) {
    this.#child = startChild({
      ...programCommand("client", [
        ...["--target", endpoint, "--rate", String(CALLS_PER_S)],
        ...["--duration", String(durationS), "--json"],
        ...["--deadline", String(DEADLINE_MS)],
      ]),
      onLine: (line) => {
        if (!line.startsWith('{"type":"summary"')) return;
        this.#summary = JSON.parse(line) as Summary;
      },
    });
  }

  readonly name = "client";

  /** The process id; undefined once it has ended. */
  get pid(): number | undefined {
    return this.#child.isRunning ? this.#child.pid : undefined;
  }

  /** Ends it; @returns Its calls, or undefined if it did not report them. */
  async end(): Promise<Calls | undefined> {
    this.#child.kill("SIGTERM");
    await awaitExit(this.#child, 2 * DEADLINE_MS);
    if (this.#summary === undefined) return undefined;
    return { made: this.#summary.calls, lost: this.#summary.failed };
  }
}

/** Connects, calls once and disconnects. @returns Whether it was answered. */
async function callAnew(target: string): Promise<boolean> {
  const client = connect(Greeter, target);
  const options = { deadlineMs: DEADLINE_MS };
  const { reply } = await callToEnd(client, "SayHello", {}, options);
  client.close();
  return reply !== undefined;
}

/** Opens new connections until the signal is aborted. */
export async function comeAndGo(
  { endpoint, l4Endpoint }: Stack,
  signal: AbortSignal,
): Promise<Calls> {
  let lost = 0;
  const { made } = await runOpenLoop({
    ratePerS: CONNECTIONS_PER_S,
    signal,
    makeCall: async ({ index }) => {
      const target = index % 2 === 0 ? endpoint : l4Endpoint;
      if (!await callAnew(target)) lost += 1;
    },
  });
  return { made, lost };
}
