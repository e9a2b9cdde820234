import assert from "node:assert/strict";
import { EnvoyAdmin } from "./envoy_admin.ts";
import { parseEnvoyConfig } from "./envoy_config.ts";
import { EnvoyProcess } from "./envoy_process.ts";

/** Why a program that is no Envoy did not start, with an admin page or none. */
async function whyNotStarted(
  script: string,
  answer?: () => Response,
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
    admin: new EnvoyAdmin(`127.0.0.1:${port}`),
    concurrency: 1,
    startLimitMs: 300,
    onLine: () => {},
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
    "Envoy ran but was not live after 300 ms, so it was ended: a\\u{1b}[2J; " +
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
  const line = (text: string) =>
    `echo "[2026-01-01][1][critical][main] [a.cc:1] ${text}"; exit 1`;
  assert.equal(
    await whyNotStarted(line("no such field")),
    "Envoy did not start (exit code 1): no such field; check the " +
      'configuration with "ENVOY --mode validate -c envoy.yaml"',
  );
  assert.equal(
    await whyNotStarted(line("cannot bind 1: Address already in use")),
    "Envoy did not start (exit code 1): cannot bind 1: Address already in " +
      "use; stop what uses the port or choose another",
  );
});
