/** The command `up`: what people type, what they see, what is left. */
import assert from "node:assert/strict";
import { type Run, start, startSource } from "./programs.ts";
import { testWhere, whyNotRun } from "./needs.ts";
import { freePort } from "./stacks.ts";

function portFlags(): readonly string[] {
  return [
    ...["--port", String(freePort()), "--admin-port", String(freePort())],
    ...["--server-port", String(freePort())],
  ];
}

function up(args: readonly string[] = [], env = {}): Run {
  return startSource("lab", ["up", ...portFlags(), ...args], env);
}

Deno.test("up: three servers answer in turn; Ctrl-C leaves nothing", async () => {
  const run = up();
  await run.printed(/call 6 /);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0, run.text());
  const answered = [...run.text().matchAll(/call \d+ +(server-\d)/g)]
    .map(([, server]) => server);
  assert.equal(new Set(answered.slice(0, 3)).size, 3, run.text());
  assert.deepEqual(answered.slice(3, 6), answered.slice(0, 3));
  assert.match(run.text(), /ready: 3 servers, all healthy/);
  assert.match(run.text(), /admin page +http:\/\/127\.0\.0\.1:\d+\//);
  const [, atTheStop = ""] =
    /(up +\| stopping on SIGINT\n[^]*)/.exec(run.text()) ?? [];
  const [stopping, stopped, ...table] = atTheStop.trimEnd().split("\n");
  assert.deepEqual([stopping, stopped], [
    "up        | stopping on SIGINT",
    "up        | stopped in order",
  ]);
  assert.match(table[0] ?? "", /^client +\| 6 calls, 6 succeeded, 0 failed$/);
  assert.equal(table.length, 6, atTheStop);
  assert.ok(table.every((line) => line.startsWith("client    | ")), atTheStop);
  assert.ok(!run.text().includes("\x1b"), "colours in a pipe");
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("up prints Envoy's access log only when asked to", async () => {
  for (const [args, isShown] of [[[], false], [["--access-log"], true]]) {
    const run = up(args as readonly string[], { CLIENT_COUNT: "2" });
    assert.equal(await run.ended, 0, run.text());
    // Envoy prints what it has when it ends.
    assert.equal(/envoy +\| .*SayHello OK/.test(run.text()), isShown);
  }
});

for (
  const [name, value] of [
    ["CLIENT_COUNT", "3"],
    ["CLIENT_DURATION_S", "1"],
  ] as const
) {
  Deno.test(`up ends with its client, in order, when ${name} is set`, async () => {
    const run = up([], { [name]: value });
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), / 0 failed/);
    assert.match(
      run.text(),
      new RegExp(`stopping on the client's last call, as ${name} is set$`, "m"),
    );
    assert.deepEqual(run.leftovers(), []);
  });
}

Deno.test("up takes another configuration, and says what it replaces", async () => {
  const file = "src/adapt/cases/dns_cluster.yaml";
  const run = up(["--config", file], { CLIENT_COUNT: "3" });
  assert.equal(await run.ended, 0, run.text());
  assert.match(
    run.text(),
    /up +\| replaced: cluster "greeters": the local servers in place of greeters/,
  );
  assert.match(run.text(), /3 calls, 3 succeeded/);
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("up overrides what the environment says of names and places", async () => {
  const run = up([], {
    ...{ SERVER_HOST: "a b", SERVER_PORT: "x", SERVER_NAME: "a b" },
    ...{ CLIENT_TARGET: "nowhere", CLIENT_COUNT: "3" },
  });
  assert.equal(await run.ended, 0, run.text());
  assert.match(run.text(), /3 calls, 3 succeeded/);
});

Deno.test("up uses no proxy for what is on this machine", async () => {
  const proxies = ["http_proxy", "https_proxy", "all_proxy", "grpc_proxy"]
    .flatMap((name) => [name, name.toUpperCase()])
    .map((name) => [name, "http://127.0.0.1:1"]);
  const run = up([], {
    ...Object.fromEntries(proxies),
    ...{ no_proxy: "", NO_PROXY: "", NODE_USE_ENV_PROXY: "1" },
    CLIENT_COUNT: "3",
  });
  assert.equal(await run.ended, 0, run.text());
  assert.match(run.text(), /3 calls, 3 succeeded/);
});

testWhere(
  "the test of a loopback that is down",
  await whyNotRun("unshare", ["-rn", "true"]),
)("up on a machine whose loopback is down says so at once", async () => {
  const startedAtMs = performance.now();
  const run = start("unshare", [
    ...["-rn", Deno.execPath(), "run", "-q", "-P=lab", "src/lab.ts", "up"],
    ...portFlags(),
  ]);
  assert.equal(await run.ended, 3, run.text());
  assert.match(
    run.text(),
    /^up: Cannot connect to 127\.0\.0\.1 on this machine: Network is unreachable .*ip link set lo up.*\n$/,
  );
  assert.ok(performance.now() - startedAtMs < 10_000);
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("up --no-client --servers 1 starts no client", async () => {
  const run = up(["--no-client", "--servers", "1"]);
  await run.printed(/ready: 1 servers/);
  run.process.kill("SIGTERM");
  assert.equal(await run.ended, 0, run.text());
  assert.doesNotMatch(run.text(), /client +\|/);
  assert.deepEqual(run.leftovers(), []);
});

// The start takes about half a second; these are moments all through it.
for (
  const [atMs, ...flags] of [
    ...[[50], [150], [250], [350], [500], [700]] as const,
    ...[[250, "--discovery", "eds"], [600, "--discovery", "eds"]] as const,
  ]
) {
  const words = ["up", ...flags].join(" ");
  Deno.test(`${words}, interrupted after ${atMs} ms, leaves nothing`, async () => {
    const run = up(flags);
    const timer = setTimeout(() => run.process.kill("SIGINT"), atMs);
    const code = await run.ended;
    clearTimeout(timer);
    // Before its listener is there, the signal ends it in the usual way.
    assert.ok(code === 0 || code === 130, `exit code ${code}: ${run.text()}`);
    assert.deepEqual(run.leftovers(), []);
  });
}

Deno.test("up whose reader goes away stops and leaves nothing", async () => {
  const run = start("sh", [
    ...["-c", '"$0" run -q -P=lab src/lab.ts up "$@" | head -10'],
    ...[Deno.execPath(), ...portFlags()],
  ]);
  assert.equal(await run.ended, 0);
  assert.equal(run.text().trimEnd().split("\n").length, 10, run.text());
  assert.match(run.text(), /call 1 /);
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("a killed server is said at once and comes back", async () => {
  const run = up();
  await run.printed(/call 2 /);
  const [pid] = run.leftovers().find((line) => line.includes("--name server-2"))
    ?.split(" ") ?? [];
  assert.ok(pid);
  Deno.kill(Number(pid), "SIGKILL");
  await run.printed(/up +\| server-2 ended unexpectedly \(SIGKILL\)/);
  await run.printed(/ended unexpectedly[^]*server-2 +\| serving on/);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0);
  assert.match(run.text(), / 0 failed/);
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("a killed Envoy is said, and everything is stopped", async () => {
  const run = up();
  await run.printed(/call 1 /);
  const [pid] = run.leftovers().find((line) => line.includes("--config-yaml"))
    ?.split(" ") ?? [];
  assert.ok(pid);
  Deno.kill(Number(pid), "SIGKILL");
  assert.equal(await run.ended, 1, run.text());
  assert.match(run.text(), /up: envoy ended unexpectedly \(SIGKILL\), so/);
  assert.deepEqual(run.leftovers(), []);
});
