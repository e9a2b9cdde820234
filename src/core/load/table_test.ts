import assert from "node:assert/strict";
import { LATENCIES, REPORT } from "./_report.ts";
import { htmlOf } from "./html.ts";
import type { LoadReport } from "./report.ts";
import { textOf } from "./table.ts";

/** One connection through an L4 listener, which leads to server-2. */
const PINNED: LoadReport = {
  ...REPORT,
  servers: REPORT.servers.map((server) => {
    const calls = server.name === "server-2" ? 600 : 0;
    return { ...server, calls, share: calls / 600 };
  }),
  pins: {
    connections: 1,
    l7: {
      target: "localhost:5000",
      calls: { "server-1": 100, "server-2": 100, "server-3": 100 },
    },
  },
};

Deno.test("textOf() says in plain words what L4 does, beside L7", () => {
  const text = textOf(PINNED).join("\n");
  assert.match(text, /server-1 +0 +0\.00 % +33\.33 %/);
  assert.match(text, /server-2 +600 +100\.00 % +33\.33 %/);
  assert.match(
    text,
    /1 connection, and all calls stay where it leads: server-2; 2 servers got nothing/,
  );
  assert.match(
    text,
    /300 calls on one connection through localhost:5000 went 100, 100, 100/,
  );
});

Deno.test("textOf() warns that many connections hide what L4 does", () => {
  const pins = PINNED.pins && { ...PINNED.pins, connections: 53 };
  const text = textOf({ ...REPORT, pins }).join("\n");
  assert.match(text, /53 connections, .* every server has some/);
  assert.match(text, /This many connections look nearly balanced/);
});

Deno.test("textOf() says nothing of L4 where calls are balanced", () => {
  assert.doesNotMatch(textOf(REPORT).join("\n"), /L4|L7/);
});

Deno.test("textOf() colours the verdict only if it is told how", () => {
  const paint = (colour: string, text: string) => `<${colour}>${text}`;
  const threshold = { metric: "calls", condition: "count>9", value: 1 };
  const failed = { ...REPORT, thresholds: [{ ...threshold, ok: false }] };
  assert.deepEqual(textOf(failed, ["before"], paint).slice(-3), [
    "before",
    "<red>FAILED: 1 of 1 thresholds crossed",
    "<red>  calls: must be count>9, is 1",
  ]);
  const plain = textOf(failed).join("\n");
  assert.ok(!plain.includes("<red>") && !plain.includes("\x1b"), plain);
});

Deno.test("htmlOf() lets no name of a server be markup", () => {
  const [first] = REPORT.servers;
  assert.ok(first);
  const html = htmlOf(
    { ...REPORT, servers: [{ ...first, name: '<b title="x">&' }] },
    { lines: ["<i>"], dashboard: "dashboard.html" },
  );
  assert.doesNotMatch(html, /<b |<i>/);
  assert.match(html, /&lt;b title=&quot;x&quot;&gt;&amp;/);
  assert.match(html, /href="dashboard\.html"/);
});

Deno.test("htmlOf() has the machine in a table that is folded, last", () => {
  const facts = { "processor cores": "<2>" };
  const html = htmlOf(REPORT, { facts });
  const [, after = ""] = html.split("The machine and the versions</summary>");
  assert.match(after, /processor cores[^]*&lt;2&gt;/);
  assert.ok(!after.includes("<h2"));
  assert.ok(!htmlOf(REPORT).includes("The machine"));
});

Deno.test("htmlOf() demands no share where connections are balanced", () => {
  assert.match(htmlOf(REPORT), /Each bar must end at the mark/);
  const html = htmlOf({ ...PINNED, reference: LATENCIES });
  assert.match(html, /no share is demanded/);
  assert.match(html, /to a server that does nothing, took p95 3\.0 ms/);
});
