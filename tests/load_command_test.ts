/** The command `load` as a program. */
import assert from "node:assert/strict";
import { ABORTED } from "./load_runs.ts";
import { freePort } from "./stacks.ts";

/** Runs the command on ports of its own. */
async function loadCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=lab", "src/lab.ts", "load", ...args],
    env: {
      RATE: "150",
      WARMUP: "1s",
      DURATION: "4s",
      P95_MS: "1000",
      P99_MS: "2000",
      VUS: "97",
      ...env,
    },
    stderr: "null",
  }).output();
  return { code, lines: new TextDecoder().decode(stdout).trim().split("\n") };
}

Deno.test("deno task load starts a stack and ends with the report", async () => {
  const grpcPort = freePort();
  const ports = [
    ...["--port", String(grpcPort), "--admin-port", String(freePort())],
    ...["--server-port", String(freePort())],
  ];
  const { code, lines } = await loadCommand(ports, {});
  assert.equal(code, 0, lines.join("\n"));
  assert.ok(
    lines.some((line) => /^The load generator used 0\.\d\d of/.test(line)),
  );
  const ledgers = lines.find((line) => line.startsWith("Calls counted"));
  assert.match(ledgers ?? "", /k6: (\d+), .*servers: \1, .*retries: \1$/);
  const page = lines.at(-1) ?? "";
  assert.match(page, /\/reports\/load-steady-[0-9-]+\.html$/);
  assert.match(await Deno.readTextFile(page), /The load generator used/);
  for (const ending of [".html", ".json", "-dashboard.html"]) {
    await Deno.remove(page.replace(/\.html$/, ending));
  }
  // Nothing is left: the port is free.
  Deno.listen({ hostname: "127.0.0.1", port: grpcPort }).close();
});

Deno.test("deno task load keeps k6's exit code", async () => {
  const target = `127.0.0.1:${freePort()}`;
  const { code } = await loadCommand(["knee"], { TARGET: target });
  assert.equal(code, ABORTED);
});
