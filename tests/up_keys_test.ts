/** The keys of `up`, typed on a pseudo terminal. */
import assert from "node:assert/strict";
import { waitUntil } from "../src/io/wait.ts";
import { testWhere, whyNotRun } from "./needs.ts";
import { type Run, start } from "./programs.ts";
import { freePort } from "./stacks.ts";

const terminalTest = testWhere(
  "the tests on a terminal",
  await whyNotRun("script", ["-qfec", "true", "/dev/null"]),
);

/** `up` on a terminal of 80 columns, which ends with it. */
function upOnTerminal(): Run {
  const command = [
    ...["stty cols 80 rows 24;", "exec", Deno.execPath()],
    ...["run -q -P=lab src/lab.ts up --no-page"],
    ...["--port", freePort(), "--admin-port", freePort()],
    ...["--server-port", freePort()],
  ].join(" ");
  const args = ["-qfec", command, "/dev/null"];
  return start("script", args, {}, undefined, "piped");
}

terminalTest("up does what its keys say, and ends with q", async () => {
  const run = upOnTerminal();
  const keyboard = run.process.stdin.getWriter();
  const type = async (key: string, until: RegExp) => {
    await keyboard.write(new TextEncoder().encode(key));
    await run.printed(until);
  };
  await run.printed(/up +\| h lists the keys/);
  await run.printed(/call 1 /);
  await type("h", /1-9 +select a server, 0 the tenth[^]*this help/);
  await type("2", /up +\| server-2 is selected/);
  await type("k", /up +\| server-2 killed; [^]*back after/);
  await type("+", /up +\| scaled from 3 to 4; Envoy sees 4 healthy/);
  await type("q", /up +\| stopping on q/);
  assert.equal(await run.ended, 0, run.text());
  assert.match(run.text(), /stopping on q\r\nup +\| stopped in order\r\n/);
  assert.match(run.text(), /client +\| \d+ calls, \d+ succeeded, \d+ failed/);
  const wide = run.text().split("\r\n").filter((line) => line.length > 80);
  assert.deepEqual(wide, []);
  assert.deepEqual(run.leftovers(), []);
  await keyboard.close().catch(() => {});
});

terminalTest("up whose terminal is closed leaves nothing behind", async () => {
  const run = upOnTerminal();
  await run.printed(/call 1 /);
  assert.ok(run.leftovers().length > 5, run.leftovers().join("\n"));
  // It holds the other end of the terminal.
  run.process.kill("SIGKILL");
  await run.process.status;
  const isOver = await waitUntil(() => run.leftovers().length === 0, 20_000);
  assert.ok(isOver, run.leftovers().join("\n"));
  await run.process.stdin.close().catch(() => {});
});
