/** The interface behind the live page: what it answers, and what it refuses. */
import assert from "node:assert/strict";
import type { Messages } from "../src/control/state.ts";
import { waitUntil } from "../src/io/wait.ts";
import { ask, withUp } from "./up_page.ts";

Deno.test("the page's interface refuses what nobody here has asked for", async () => {
  await withUp(["--servers", "2"], async (up) => {
    const { url, token } = up;
    const kill = JSON.stringify({ do: "kill", server: "server-1" });
    const good = { "x-token": token, "content-type": "application/json" };
    const host = new URL(url).host;
    const rows: readonly (readonly [
      what: string,
      status: number,
      sentence: RegExp,
      headers: Record<string, string>,
      body?: string,
    ])[] = [
      ["no token", 401, /token/, { "content-type": "application/json" }],
      ["a wrong token", 401, /token/, { ...good, "x-token": `${token}0` }],
      ["another origin", 403, /Other pages/, { ...good, origin: "http://a.b" }],
      ["no origin's page", 403, /Other pages/, { ...good, origin: "null" }],
      ["another site", 403, /Other pages/, {
        ...good,
        "sec-fetch-site": "cross-site",
      }],
      ["another port of this machine", 403, /Other pages/, {
        ...good,
        origin: "http://localhost:1",
      }],
      ["another name", 403, /localhost only/, { ...good, host: "a.b" }],
      ["a name that was rebound", 403, /localhost only/, {
        ...good,
        host: `a.b:${new URL(url).port}`,
        origin: `http://a.b:${new URL(url).port}`,
      }],
      ["a form", 415, /JSON/, { ...good, "content-type": "text/plain" }],
      ["malformed JSON", 400, /not JSON/, good, "{"],
      ["nothing", 400, /not JSON/, good, ""],
      [
        "an unknown server",
        422,
        /server must be one of/,
        good,
        JSON.stringify({ do: "kill", server: "server-9" }),
      ],
      [
        "an unknown action",
        422,
        /do must be one of/,
        good,
        JSON.stringify({ do: "rm", server: "server-1" }),
      ],
      ["10 MB", 413, /at most \d+ bytes/, good, "x".repeat(10_000_000)],
    ];
    for (const path of ["api/do", "api/lesson"]) {
      for (const [what, status, sentence, headers, body = kill] of rows) {
        const answer = await ask(url + path, "POST", { headers, body })
          // The rest of a body that is too long is not read.
          .catch((error) => ({ status: 0, body: String(error) }));
        if (answer.status === 0 && status === 413) continue;
        assert.equal(answer.status, status, `${what}: ${answer.body}`);
        const { error } = JSON.parse(answer.body);
        // What may be asked for is another list.
        const words = status === 422 && path === "api/lesson"
          ? /^do must be start with the name of a lesson/
          : sentence;
        assert.match(error, words, what);
      }
    }
    for (
      const [path, method, status] of [
        ["api/do", "GET", 405],
        ["api/lesson", "GET", 405],
        ["", "DELETE", 405],
        ["../deno.json", "GET", 404],
        ["nothing", "GET", 404],
      ] as const
    ) {
      const answer = await ask(url + path, method);
      assert.equal(answer.status, status, path);
    }
    for (const path of ["api/state", "api/lessons"]) {
      const headers = { host: "a.b" };
      assert.equal((await ask(url + path, "GET", { headers })).status, 403);
      assert.equal((await ask(url + path, "GET")).status, 200);
    }
    assert.ok(host.startsWith("localhost:"));
    // The control: the same wish, properly asked for, is done.
    const { servers } = await up.state();
    assert.deepEqual(servers.map((one) => one.process), ["running", "running"]);
    assert.equal(
      (await up.ask({ do: "pause", server: "server-1" })).status,
      200,
    );
    const [first] = (await up.state()).servers;
    assert.equal(first?.process, "paused");
  });
});

Deno.test("figures have the lines of the file that was named, by whatever names", async () => {
  const file = "src/adapt/cases/dns_cluster.yaml";
  await withUp(["--servers", "1", "--config", file], async (up) => {
    const response = await fetch(`${up.url}events`);
    const reader = (response.body ?? new ReadableStream())
      .pipeThrough(new TextDecoderStream()).getReader();
    let seen = "";
    while (!seen.includes("\n\n")) seen += (await reader.read()).value ?? "";
    await reader.cancel();
    const [, data = ""] = /^event: hello\ndata: (.*)\n\n/.exec(seen) ?? [];
    const { excerpts } = JSON.parse(data) as Messages["hello"];
    const lines = new Map(excerpts.map((one) => [one.figure, one]));
    assert.equal(lines.get("retriesAllowed")?.file, file);
    assert.match(
      lines.get("retriesAllowed")?.text ?? "",
      /RetryConcurrency: 30/,
    );
    assert.match(lines.get("retries")?.text ?? "", /^retryPolicy:/);
    assert.equal(lines.get("retries")?.instead, null);
    assert.equal(lines.has("ejections"), false);
    // Envoy has not been asked yet when the page is there.
    let allowed = 0;
    await waitUntil(async () => {
      allowed = (await up.state()).envoy.retriesAllowed;
      return allowed !== 0;
    }, 10_000);
    assert.equal(allowed, 30);
  });
});

Deno.test("a thousand wishes at once end nothing", async () => {
  await withUp(["--servers", "1"], async (up) => {
    const answers = await Promise.all(
      Array.from(
        { length: 1000 },
        (_, at) => up.ask({ do: "load", load: { ratePerS: 1 + at % 2 } }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [200, 422]);
    const refused = answers.find(({ status }) => status === 422);
    assert.match(refused?.body ?? "", /actions are waiting already/);
    const done = answers.filter(({ status }) => status === 200).length;
    assert.ok(done >= 20 && done < 1000, `${done} done`);
    await up.run.printed(/call 1 /);
  });
});

Deno.test("a viewer that reads nothing costs little and harms nobody", async () => {
  await withUp(["--servers", "1"], async (up) => {
    const { port } = new URL(up.url);
    const stalled = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const conn = await Deno.connect({
          hostname: "127.0.0.1",
          port: Number(port),
        });
        const words = `GET /events HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`;
        await conn.write(new TextEncoder().encode(words));
        return conn;
      }),
    );
    await up.ask({ do: "load", load: { ratePerS: 100 } });
    const watched = new AbortController();
    const response = await fetch(`${up.url}events`, { signal: watched.signal });
    let seen = "";
    for await (
      const part of (response.body ?? new ReadableStream())
        .pipeThrough(new TextDecoderStream())
    ) {
      seen += part;
      if ((seen.match(/event: second/g) ?? []).length >= 3) break;
    }
    assert.match(seen, /^event: hello/);
    assert.match(seen, /event: calls/);
    stalled.forEach((conn) => conn.close());
  });
});

Deno.test("ctl and the page change the same stack, and stories tell it", async () => {
  await withUp(["--servers", "2"], async (up) => {
    const answer = await up.ask({ do: "scale", count: 3 });
    assert.equal(answer.status, 200, answer.body);
    const { servers, envoy } = await up.state();
    assert.equal(servers.length, 3);
    assert.equal(envoy.healthy, 3);
    await up.run.printed(/scaled from 2 to 3; Envoy sees 3 healthy .*0 lost/);
  });
});
