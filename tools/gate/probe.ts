/**
 * How a Deno handles closed connections. It runs under the tested Deno,
 * measures what its one argument names, prints it as JSON and exits.
 */
import { createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { parseFlags } from "../../src/core/flags.ts";
import { join, PREFACE } from "../../src/core/http2_wire.ts";
import { settings } from "../../src/io/http2_frames.ts";
import { runOpenLoop } from "../../src/io/open_loop.ts";
import { runProgram } from "../../src/io/program.ts";
import { print } from "../../src/io/terminal.ts";
import { pause } from "../../src/io/wait.ts";
import { SERVER_FLAGS } from "../../src/server/config.ts";
import { startServer } from "../../src/server/server.ts";
import type { Probe } from "./runtime.ts";

const HOSTNAME = "127.0.0.1";

/** By then the heap has grown to its steady size. */
const WARM_UP = 4_000;

const MEASURED = 4_000;

const AT_ONCE = 20;

/** A server's first bytes are fewer. */
const ANSWER_BYTES_MAX = 256;

/** How long a connection's end may take to arrive. */
const END_LIMIT_MS = 3_000;

/** Opens HTTP/2 connections and closes each once it is answered. */
async function openAndClose(port: number, count: number): Promise<void> {
  await runOpenLoop({
    ratePerS: Infinity,
    count,
    concurrency: AT_ONCE,
    makeCall: async () => {
      using connection = await Deno.connect({ hostname: HOSTNAME, port });
      await connection.write(join(PREFACE, settings()));
      await connection.read(new Uint8Array(ANSWER_BYTES_MAX));
    },
  });
}

/** The resident bytes leaked per closed connection. */
async function keptBytes(port: number): Promise<number> {
  await openAndClose(port, WARM_UP);
  const before = residentBytes();
  await openAndClose(port, MEASURED);
  return Math.round((residentBytes() - before) / MEASURED);
}

function residentBytes(): number {
  // Garbage does not count.
  (globalThis as unknown as { gc: () => void }).gc();
  return Deno.memoryUsage().rss;
}

/** By a bare server of `node:http2`, which grpc-js uses. */
async function keptByNode(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOSTNAME, resolve));
  return await keptBytes((server.address() as AddressInfo).port);
}

/** By the demo's server. */
async function keptByOurs(): Promise<number> {
  const { values } = parseFlags(SERVER_FLAGS, ["--port", "0"]);
  const server = startServer(values, () => {});
  return await keptBytes(server.port);
}

/** Whether a peer sees the end of a connection closed during a read. */
async function endsWhileRead(): Promise<boolean> {
  using listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  const { port } = listener.addr;
  const peer = await Deno.connect({ hostname: HOSTNAME, port });
  const connection = await listener.accept();
  void connection.read(new Uint8Array(1)).catch(() => {});
  setTimeout(() => connection.close()); // The read has begun by then.
  const limit = pause(END_LIMIT_MS);
  return await Promise.race([peer.read(new Uint8Array(1)), limit]) === null;
}

/** The measurements, by name. */
const PROBES: Readonly<Record<Probe, () => Promise<number | boolean>>> = {
  node: keptByNode,
  ours: keptByOurs,
  read: endsWhileRead,
};

async function run(): Promise<number> {
  const [probe = ""] = Deno.args;
  print(JSON.stringify(await PROBES[probe as Probe]()));
  Deno.exit(0); // What is still open no longer matters.
}

if (import.meta.main) await runProgram("probe", run);
