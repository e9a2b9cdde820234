/** Who may read and change Envoy through its admin page, with real requests. */
import assert from "node:assert/strict";
import { waitUntil } from "../src/io/wait.ts";
import { EnvoyAdmin } from "../src/stack/envoy_admin.ts";
import type { Stack } from "../src/stack/stack.ts";
import { openAdmin, stateOf, UNTOUCHED } from "./admin_states.ts";
import { startSource } from "./programs.ts";
import { callMany, freePort, withStack } from "./stacks.ts";

/** What our own programs send with a POST. */
const BY_PROGRAM = { "x-grpc-demo": "yes" };

const READ = "GET /stats?filter=server";
const DRAIN = "POST /drain_listeners?inboundonly";
const FAIL = "POST /healthcheck/fail";

const FORM = "application/x-www-form-urlencoded";

/** Whether an HTTP/1.1 answer is here as a whole. */
function isWhole(answer: string): boolean {
  const [head = "", body] = answer.split(/\r\n\r\n(.*)/s);
  if (body === undefined) return false;
  const length = /^content-length: (\d+)/mi.exec(head)?.[1];
  return length === undefined
    ? body.endsWith("0\r\n\r\n")
    : body.length >= Number(length);
}

/** Sends a request as it stands: no client library tidies its path. */
async function ask(
  { admin }: Stack,
  request: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = new URL(admin.url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const all = { host: `localhost:${port}`, ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  await connection.write(new TextEncoder().encode(
    [`${request} HTTP/1.1`, ...lines, "", ""].join("\r\n"),
  ));
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  while (!isWhole(text)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text };
}

/** What is refused, and the status; no such request may change anything. */
const REFUSED: readonly (readonly [
  why: string,
  request: string,
  fields: Readonly<Record<string, string>>,
  status: number,
])[] = [
  ["another origin reads", READ, { origin: "http://a.test" }, 403],
  ["a file reads", READ, { origin: "null" }, 403],
  ["an empty origin reads", READ, { origin: "" }, 403],
  ["another site reads", READ, { "sec-fetch-site": "cross-site" }, 403],
  ["another port reads", READ, { "sec-fetch-site": "same-site" }, 403],
  ["another host name reads", READ, { host: "a.test:9901" }, 403],
  ["a name that begins with ours", READ, { host: "localhost.a.test" }, 403],
  ["a name that ends with ours", READ, { host: "a.localhost" }, 403],
  ["our name with a dot", READ, { host: "localhost." }, 403],
  ["no host name", READ, { host: "" }, 403],
  ["a user in the host name", READ, { host: "localhost@a.test" }, 403],
  ["a form of another page drains", DRAIN, {
    origin: "http://a.test",
    "content-type": FORM,
    "content-length": "0",
  }, 403],
  ["a script of another page drains", DRAIN, {
    ...BY_PROGRAM,
    origin: "http://a.test",
  }, 403],
  ["its preflight", "OPTIONS /drain_listeners?inboundonly", {
    origin: "http://a.test",
    "access-control-request-method": "POST",
    "access-control-request-headers": "x-grpc-demo",
  }, 403],
  ["another site drains", DRAIN, {
    ...BY_PROGRAM,
    "sec-fetch-site": "cross-site",
  }, 403],
  ["another host name drains", DRAIN, { ...BY_PROGRAM, host: "a.test" }, 403],
  ["a form of the page itself drains", DRAIN, {
    origin: "http://localhost:9901",
    "sec-fetch-site": "same-origin",
    "content-type": FORM,
  }, 403],
  ["an old browser's form drains", DRAIN, { "content-type": FORM }, 403],
  [
    "an old browser's form, as text",
    FAIL,
    { "content-type": "text/plain" },
    403,
  ],
  ["who forgets the header", FAIL, {}, 403],
  [
    "who would drain the page too",
    "POST /drain_listeners",
    BY_PROGRAM,
    403,
  ],
  ["GET drains", "GET /drain_listeners?inboundonly", BY_PROGRAM, 405],
  ["GET fails health", "GET /healthcheck/fail", BY_PROGRAM, 405],
  ["PUT", "PUT /healthcheck/fail", BY_PROGRAM, 403],
  ["DELETE", "DELETE /healthcheck/fail", BY_PROGRAM, 403],
  ["PATCH", "PATCH /healthcheck/fail", BY_PROGRAM, 403],
  ["OPTIONS", "OPTIONS /ready", BY_PROGRAM, 403],
  ["OPTIONS of everything", "OPTIONS *", BY_PROGRAM, 404],
  ["CONNECT", "CONNECT localhost:9901", BY_PROGRAM, 404],
  ["GET, overridden", "GET /healthcheck/fail", {
    "x-http-method-override": "POST",
  }, 405],
  [
    "an absolute address of another host",
    `POST http://a.test/healthcheck/fail`,
    BY_PROGRAM,
    403,
  ],
  [
    "an absolute address of ours, without the header",
    "POST http://localhost/healthcheck/fail",
    { host: "a.test" },
    403,
  ],
  ...[
    "//healthcheck/fail",
    "/./healthcheck/fail",
    "/ready/../healthcheck/fail",
    "/ready/..;/healthcheck/fail",
    "/healthcheck/fail/",
    "/healthcheck/fail;a",
    "/healthcheck%2ffail",
    "/%68ealthcheck/fail",
    "/ready/%2e%2e/healthcheck/fail",
    "/HEALTHCHECK/FAIL",
    "/healthcheck\\fail",
    "/quitquitquit",
    "//quitquitquit",
    "/ready/../quitquitquit",
    "/healthcheck/../quitquitquit",
    "/quitquitquit?/healthcheck/fail",
    "/logging?level=trace",
    "/runtime_modify?a=b",
    "/reset_counters",
    "/cpuprofiler?enable=y",
    "/stats/recentlookups/enable",
  ].map((path) => [`POST ${path}`, `POST ${path}`, BY_PROGRAM, 403] as const),
  ...["/quitquitquit", "/logging", "/heap_dump", "//quitquitquit"].map((path) =>
    [`GET ${path}`, `GET ${path}`, {}, 403] as const
  ),
];

Deno.test("the admin page refuses other pages, hosts, methods and paths", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    for (const [why, request, fields, status] of REFUSED) {
      const answer = await ask(stack, request, fields);
      assert.equal(answer.status, status, `${why}: ${answer.text}`);
      assert.doesNotMatch(answer.text, /server\.live/, why);
      assert.deepEqual(await stateOf(stack), UNTOUCHED, why);
    }
    const { errors } = await callMany(stack.endpoint, 5);
    assert.deepEqual([...errors], []);
  });
});

Deno.test("the admin page opens, and so does what it links to", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    for (const host of ["localhost", "127.0.0.1", "[::1]", "LocalHost:80"]) {
      const page = await ask(stack, "GET /", { host });
      assert.equal(page.status, 200, host);
      assert.match(page.text, /<title>Envoy Admin<\/title>/);
    }
    const link = { "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" };
    for (
      const path of [
        ...["/certs", "/clusters?format=json", "/config_dump", "/help"],
        ...["/hot_restart_version", "/init_dump", "/listeners", "/memory"],
        ...["/ready", "/runtime", "/server_info", "/stats"],
        ...["/stats/prometheus", "/stats?format=active-html&filter=http"],
      ]
    ) {
      const answer = await ask(stack, `GET ${path}`, link);
      assert.equal(answer.status, 200, path);
    }
  });
});

Deno.test("our own programs drain Envoy, and its admin page stays", async () => {
  await withStack({ servers: 1 }, async (stack) => {
    await stack.admin.post("healthcheck/fail");
    assert.deepEqual(await stateOf(stack), { isReady: false, stopped: 0 });
    await stack.admin.post("healthcheck/ok");
    await stack.admin.post("drain_listeners?inboundonly");
    assert.deepEqual(await stateOf(stack), { isReady: true, stopped: 2 });
    const { servers } = await callMany(stack.endpoint, 1);
    assert.equal(servers.size, 0, "nobody listens any more");
  });
});

Deno.test("control: a page drains an admin interface that has a port", async () => {
  await withStack({ servers: 1, config: openAdmin() }, async (stack) => {
    const { status } = await ask(stack, "POST /drain_listeners", {
      host: "a.test",
      origin: "http://a.test",
      "content-type": FORM,
    });
    assert.equal(status, 200);
    // It answers before its listeners have stopped.
    await waitUntil(async () => (await stateOf(stack)).stopped === 2, 5000);
    assert.deepEqual(await stateOf(stack), { isReady: true, stopped: 2 });
  });
});

Deno.test("up says in one line that its Envoy sends callers away", async () => {
  const adminPort = freePort();
  const run = startSource("lab", [
    ...["up", "--no-client", "--servers", "1", "--port", `${freePort()}`],
    ...["--admin-port", `${adminPort}`, "--server-port", `${freePort()}`],
  ]);
  await run.printed(/ready: 1 servers/);
  const admin = new EnvoyAdmin(`127.0.0.1:${adminPort}`);
  await admin.post("healthcheck/fail");
  await run.printed(/up +\| Envoy was told to fail its health check/);
  await admin.post("healthcheck/ok");
  await run.printed(/up +\| Envoy passes its health check again/);
  await admin.post("drain_listeners?inboundonly");
  await run.printed(/up +\| Envoy was drained and no longer listens/);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0, run.text());
  assert.equal(run.text().match(/Envoy was/g)?.length, 2, run.text());
  assert.deepEqual(run.leftovers(), []);
});
