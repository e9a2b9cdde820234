import assert from "node:assert/strict";
import process from "node:process";
import { cpuTime, machineTime, ownBetween, processTime } from "./cpu_time.ts";

Deno.test("processTime() reads a name with any character", () => {
  const rest = `S 7 42 42 0 -1 0 0 0 0 0 10 20 3 4 20 0`;
  assert.deepEqual(processTime(`42 (a) b (c) ${rest}`), {
    pid: 42,
    parent: 7,
    name: "a) b (c",
    ticks: 37,
  });
  assert.equal(processTime(""), undefined);
});

Deno.test("machineTime() tells idle, busy and stolen time apart", () => {
  assert.deepEqual(machineTime("cpu  10 1 20 500 30 2 3 4 0 0"), {
    total: 570,
    busy: 36,
    stolen: 4,
  });
});

Deno.test({
  name: "cpuTime() counts what this program does as its own",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const before = await cpuTime();
    const startedAt = process.cpuUsage().user;
    while (process.cpuUsage().user - startedAt < 100_000);
    const after = await cpuTime();
    assert.ok(before !== undefined && after !== undefined);
    // 100 ms are ten ticks of a hundredth of a second.
    const own = ownBetween(before, after);
    assert.ok(own >= 9, `${own} ticks`);
    assert.ok(after.busy >= before.busy + 9);
  },
});
