import assert from "node:assert/strict";
import denoJson from "../../deno.json" with { type: "json" };
import { EnvoyAdmin } from "./envoy_admin.ts";
import { parseEnvoyConfig } from "./envoy_config.ts";
import { EnvoyProcess } from "./envoy_process.ts";

/** Why a program that is no Envoy did not start, with an admin page or none. */
async function whyNotStarted(
  script: string,
  answer?: () => Response,
  lines: string[] = [],
): Promise<string> {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`);
  await Deno.chmod(path, 0o755);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    answer ?? (() => new Response("DRAINING")),
  );
  const { port } = server.addr;
  if (answer === undefined) await server.shutdown();
  const envoy = new EnvoyProcess({
    path,
    config: parseEnvoyConfig(),
    configName: "my.yaml",
    admin: new EnvoyAdmin(`127.0.0.1:${port}`),
    concurrency: 1,
    startLimitMs: 300,
    onLine: (line) => lines.push(line),
    onCrash: () => {},
  });
  let message = "";
  await assert.rejects(envoy.start(), (error: Error) => {
    message = error.message.replaceAll(path, "ENVOY")
      .replaceAll(String(port), "PORT");
    return error.name === "Failure";
  });
  assert.equal(envoy.pid, undefined);
  if (answer !== undefined) await server.shutdown();
  await Deno.remove(path);
  return message;
}

Deno.test("start() says what an Envoy that runs answers in place of LIVE", async () => {
  assert.equal(
    await whyNotStarted("exec sleep 60", () => new Response("a\x1b[2J")),
    "Envoy ran but was not live after 300 ms, so it was killed: a\\u{1b}[2J; " +
      "check what slows or filters connections on this machine",
  );
});

Deno.test("start() says why the admin page of an Envoy that runs does not answer", async () => {
  assert.match(
    await whyNotStarted("exec sleep 60"),
    /^Envoy ran but was not live .*: Envoy's admin interface does not answer http:\/\/127\.0\.0\.1:PORT\/ready: .*ECONNREFUSED.*; check what slows/,
  );
});

Deno.test("start() blames the configuration only when Envoy has refused it", async () => {
  const refusal = "[1][critical] error `it is bad` initializing config";
  assert.equal(
    await whyNotStarted(`echo '${refusal}'; exit 1`),
    'Envoy refuses "my.yaml": it is bad; fix it there',
  );
  assert.equal(
    await whyNotStarted("echo one; echo PARSE ERROR; exit 1"),
    'Envoy did not start (exit code 1): PARSE ERROR; check that "ENVOY" is ' +
      `Envoy ${denoJson.toolVersions.envoy}`,
  );
});

Deno.test("start() hands on what Envoy prints, but for what it refuses", async () => {
  const lines: string[] = [];
  await whyNotStarted("echo one; echo two; exit 1", undefined, lines);
  assert.deepEqual(lines.splice(0), ["one", "two"]);
  const refusal = "echo '[critical] error `bad`'; seq 100; exit 1";
  await whyNotStarted(refusal, undefined, lines);
  assert.deepEqual(lines, []);
});
