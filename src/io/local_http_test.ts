import assert from "node:assert/strict";
import { createServer } from "node:http";
import { requestLocal } from "./local_http.ts";

/** Runs `work` with the address of a server that answers so. */
async function withServer(
  handler: (request: Request) => Response | Promise<Response>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handler,
  );
  try {
    await work(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("requestLocal() sends method, path and headers, and reads all", async () => {
  const handler = (request: Request) => {
    const { pathname, search } = new URL(request.url);
    const text = `${request.method} ${pathname}${search} ` +
      request.headers.get("x-word");
    return new Response(text + "ü".repeat(100_000), { status: 201 });
  };
  await withServer(handler, async (url) => {
    const { status, body } = await requestLocal(`${url}/a?b=c`, {
      method: "POST",
      timeoutMs: 10_000,
      headers: { "x-word": "word" },
    });
    assert.equal(status, 201);
    assert.equal(body, "POST /a?b=c word" + "ü".repeat(100_000));
  });
});

Deno.test("requestLocal() fails when nothing listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const options = { method: "GET", timeoutMs: 10_000 } as const;
  await assert.rejects(requestLocal(`http://127.0.0.1:${port}/`, options), {
    code: "ECONNREFUSED",
  });
});

Deno.test("requestLocal() fails when there is no answer in time", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withServer(() => promise, async (url) => {
    const options = { method: "GET", timeoutMs: 50 } as const;
    try {
      await assert.rejects(requestLocal(url, options), {
        name: "TimeoutError",
      });
    } finally {
      resolve(new Response()); // The server ends only then.
    }
  });
});

const PROXIES = [
  "http_proxy",
  "HTTP_PROXY",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
];

for (const asNode of ["", "1"]) {
  Deno.test(`requestLocal() uses no proxy; NODE_USE_ENV_PROXY is "${asNode}"`, async () => {
    // A proxy is sent the whole address, so the path tells as well.
    const server = createServer((request, response) => {
      response.end(request.url);
    });
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      })
    );
    const module = new URL("./local_http.ts", import.meta.url);
    const code = `
      import { requestLocal } from "${module}";
      const options = { method: "GET", timeoutMs: 10_000 };
      const url = "http://127.0.0.1:${port}/path?a=b";
      console.log((await requestLocal(url, options)).body);
    `;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-lock", code],
      env: {
        ...Object.fromEntries(
          PROXIES.map((name) => [name, "http://127.0.0.1:1"]),
        ),
        no_proxy: "",
        NO_PROXY: "",
        NODE_USE_ENV_PROXY: asNode,
      },
    }).output();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(new TextDecoder().decode(stdout), "/path?a=b\n");
  });
}

Deno.test("requestLocal() reads no more of a body than it may", () =>
  withServer(() => new Response("x".repeat(1000)), async (url) => {
    const read = (bytesMax: number) =>
      requestLocal(url, { method: "GET", timeoutMs: 10_000, bytesMax });
    assert.equal((await read(1000)).body.length, 1000);
    await assert.rejects(read(999), {
      name: "RangeError",
      message: "The answer has more than 999 bytes",
    });
  }));
