import assert from "node:assert/strict";
import { residentKib, residentMib } from "./resident.ts";

Deno.test("residentKib() reads what ps prints, with and without headings", () => {
  assert.deepEqual(residentKib("    12  51200\n  3456    904\n"), [
    [12, 51_200],
    [3456, 904],
  ]);
  assert.deepEqual(residentKib("PID   RSS\n77    2048\n"), [[77, 2048]]);
  assert.deepEqual(residentKib(""), []);
});

Deno.test("residentMib() is what this process itself finds, about", async () => {
  const found = await residentMib([
    { name: "self", pid: Deno.pid },
    { name: "gone", pid: 2 ** 22 + 1 },
    { name: "not started", pid: undefined },
  ]);
  assert.deepEqual([...found.keys()], ["self"]);
  const ownMib = Deno.memoryUsage().rss / 1_048_576;
  const ratio = (found.get("self") ?? 0) / ownMib;
  assert.ok(ratio > 0.7 && ratio < 1.4, `${ratio} of ${ownMib} MiB`);
});
