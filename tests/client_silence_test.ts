/** The client leaves a connection on which nothing comes any more. */
import assert from "node:assert/strict";
import { startSource } from "./programs.ts";
import { freePort } from "./stacks.ts";

/** Passes connections on, until those that are open are made silent. */
class Proxy implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #connections: Deno.TcpConn[] = [];
  #silenced = 0;

  constructor(readonly targetPort: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many connections were opened. */
  get opened(): number {
    return this.#connections.length / 2;
  }

  /** From now on nothing passes on the connections that are open. */
  silence(): void {
    this.#silenced = this.#connections.length;
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      const far = await Deno.connect({ port: this.targetPort });
      const index = this.#connections.push(near, far) - 1;
      void this.#pass(near, far, index);
      void this.#pass(far, near, index);
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, index: number) {
    try {
      for await (const chunk of from.readable) {
        if (index < this.#silenced) continue;
        for (let at = 0; at < chunk.length;) {
          at += await to.write(chunk.subarray(at));
        }
      }
    } catch {
      // One of the two has closed it.
    }
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // It has ended already.
      }
    }
  }
}

for (
  const [what, args] of [
    ["many calls a second", ["--rate", "20"]],
    ["one call in flight at a time", ["--rate", "20", "--concurrency", "1"]],
    ["calls that may take long", ["--rate", "5", "--deadline", "12000"]],
  ] as const
) {
  Deno.test(`the client leaves a silent connection, with ${what}`, async () => {
    const port = freePort();
    const server = startSource("server", ["--port", String(port)]);
    await server.printed(/serving on/);
    using proxy = new Proxy(port);
    const client = startSource("client", [
      ...["--target", `127.0.0.1:${proxy.port}`, ...args],
      ...["--duration", "15"],
    ]);
    await client.printed(/call 5 .* reply/);
    proxy.silence();
    const silencedMs = performance.now();
    // It ends, and this rejects, if no answer ever comes.
    await client.printed(/calls succeed again after/);
    assert.ok(performance.now() - silencedMs < 6000, client.text());
    assert.equal(proxy.opened, 2);
    client.process.kill("SIGINT");
    assert.equal(await client.ended, 0);
    server.process.kill("SIGKILL");
    await server.ended;
    assert.deepEqual([...client.leftovers(), ...server.leftovers()], []);
  });
}
