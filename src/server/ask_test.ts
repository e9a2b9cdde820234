import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { type sendUnaryData, Server } from "@grpc/grpc-js";
import { Admin } from "../io/proto.ts";
import { listen } from "../io/_listen.ts";
import { askCounters, askHealth } from "./ask.ts";
import { SERVER_FLAGS } from "./config.ts";
import { type RunningServer, startServer } from "./server.ts";

function serve(): RunningServer {
  const defaults = Object.fromEntries(
    Object.entries(SERVER_FLAGS).map(([key, row]) => [
      key,
      "default" in row ? row.default : false,
    ]),
  ) as Parameters<typeof startServer>[0];
  return startServer({ ...defaults, port: 0, serverName: "asked" }, () => {});
}

Deno.test("askHealth() tries another connection when the first is silent", async () => {
  const server = await serve();
  const sockets: Socket[] = [];
  const front = createServer((socket) => {
    sockets.push(socket);
    if (sockets.length === 1) return; // Accepted, and nobody answers.
    const way = connect(server.port, "127.0.0.1");
    sockets.push(way);
    socket.pipe(way).pipe(socket);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const { port } = front.address() as { port: number };
  const status = await askHealth({
    target: `127.0.0.1:${port}`,
    service: "",
    deadlineMs: 5000,
  });
  assert.equal(status, "SERVING");
  assert.equal(sockets.length, 3, "one silent, one with its way");
  for (const socket of sockets) socket.destroy();
  front.close();
  await server.close();
});

Deno.test("askHealth() says why there is no answer when time is up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(
    askHealth({ target: `127.0.0.1:${port}`, service: "", deadlineMs: 300 }),
    { name: "Failure", kind: "failed", message: /UNAVAILABLE.*ECONNREFUSED/ },
  );
});

Deno.test("askHealth() accepts an unknown service as an answer", async () => {
  const server = await serve();
  const target = `127.0.0.1:${server.port}`;
  await assert.rejects(
    askHealth({ target, service: "nobody.Registered", deadlineMs: 60_000 }),
    { name: "Failure", message: /NOT_FOUND/ },
  );
  await server.close();
});

Deno.test("askCounters() sanitizes what a server says", async () => {
  const server = new Server();
  const methods = Array.from({ length: 1000 }, () => ({ method: "a\u009bb" }));
  server.addService(Admin.service, {
    getCounters: (_: unknown, callback: sendUnaryData<object>) =>
      callback(null, { server: "x".repeat(9999), methods }),
    setFault: () => {},
    clearFaults: () => {},
  });
  const port = await listen(server, "127.0.0.1", 0);
  const found = await askCounters({
    target: `127.0.0.1:${port}`,
    deadlineMs: 10_000,
  });
  assert.equal(found.server.length, 101);
  assert.equal(found.methods.length, 100);
  assert.equal(found.methods[0]?.method, "a\\u{9b}b");
  server.forceShutdown();
});
