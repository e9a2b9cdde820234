import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { waitUntil } from "../io/wait.ts";
import { complaintsOf, runK6, secondsOfPs } from "./k6.ts";

Deno.test("secondsOfPs() reads minutes and hours", () => {
  assert.equal(secondsOfPs(" 1:02.50\n"), 62.5);
  assert.equal(secondsOfPs("01:01:02"), 3662);
});

Deno.test("complaintsOf() leaves what the report does not say", () => {
  const log = [
    '{"level":"error","msg":"thresholds on metrics \'a, b\' have been crossed"}',
    '{"level":"error","msg":"test aborted: Nothing to test at [::1]:1"}',
    '{"level":"warning","msg":"odd\\u001b[2J"}',
    '{"level":"warning","msg":"Insufficient VUs, reached 1 active VUs"}',
    "panic: no JSON",
    "",
  ].join("\n");
  assert.equal(
    complaintsOf(log),
    "Nothing to test at [::1]:1\nodd\\u{1b}[2J\npanic: no JSON\n",
  );
});

for (
  const [output, expected] of [["piped", "said\nodd\n"], [
    "watched",
    "odd\n",
  ]] as const
) {
  Deno.test(`runK6() has what k6 said and complained of, ${output}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "k6-test-" });
    const path = `${folder}/k6`;
    const said = output === "watched" ? "" : "echo said";
    const script = `#!/bin/sh\n${said}\necho '{"msg":"odd"}' >&2\nexit 99\n`;
    await Deno.writeTextFile(path, script, { mode: 0o755 });
    const result = await runK6({ path, script: "grpc.js", output });
    await Deno.remove(folder, { recursive: true });
    assert.deepEqual([result.code, result.output], [99, expected]);
  });
}

Deno.test("runK6() asks k6 to end once, and waits for its report", async () => {
  const folder = await Deno.makeTempDir({ prefix: "k6-test-" });
  const path = `${folder}/k6`;
  const script = "#!/bin/sh\ntrap 'echo reported; exit 105' INT\n" +
    `: > "${folder}/started"\nwhile :; do sleep 0.05; done\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  const stop = new AbortController();
  const run = runK6({ path, script: "grpc.js", signal: stop.signal });
  const isStarted = () => existsSync(`${folder}/started`);
  assert.ok(await waitUntil(isStarted, 20_000));
  stop.abort();
  const { code, output } = await run;
  await Deno.remove(folder, { recursive: true });
  assert.deepEqual([code, output], [105, "reported\n"]);
});
