import assert from "node:assert/strict";
import process from "node:process";
import { cpuTime, machineTime, ownBetween } from "./cpu_time.ts";

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
