import assert from "node:assert/strict";
import {
  type DueCall,
  type OpenLoopOptions,
  type OpenLoopResult,
  runOpenLoop,
} from "./open_loop.ts";

/** Lets everything run that is ready to. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

/** A loop whose clock is moved by hand, and whose calls end by hand. */
class Bench {
  readonly startsMs: number[] = [];
  readonly ended: DueCall[] = [];
  readonly sleepsMs: number[] = [];
  readonly skips: (readonly [number, string])[] = [];
  readonly controller = new AbortController();
  readonly #ends: (() => void)[] = [];
  #nowMs = 0;
  #wake: { atMs: number; resolve: () => void } | undefined;

  get nowMs(): number {
    return this.#nowMs;
  }

  run(options: Partial<OpenLoopOptions> = {}): Promise<OpenLoopResult> {
    return runOpenLoop({
      ratePerS: 10,
      concurrency: 100,
      signal: this.controller.signal,
      makeCall: async (call) => {
        this.startsMs.push(this.#nowMs);
        await new Promise<void>((resolve) => this.#ends.push(resolve));
        this.ended.push(call);
      },
      skip: (calls, cause) => this.skips.push([calls, cause]),
      now: () => this.#nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          this.sleepsMs.push(ms);
          this.#wake = { atMs: this.#nowMs + ms, resolve };
          signal?.addEventListener("abort", () => resolve());
        }),
      ...options,
    });
  }

  /** Moves the clock in steps of a millisecond. */
  async pass(ms: number): Promise<void> {
    for (let step = 0; step < ms; step += 1) {
      this.#nowMs += 1;
      const wake = this.#wake;
      if (wake !== undefined && wake.atMs <= this.#nowMs) {
        this.#wake = undefined;
        wake.resolve();
      }
      await settle();
    }
  }

  /** Moves the clock at once. */
  async jump(ms: number): Promise<void> {
    this.#nowMs += ms - 1;
    await this.pass(1);
  }

  /** Ends the oldest call that is open. */
  async end(): Promise<void> {
    this.#ends.shift()?.();
    await settle();
  }

  /** Ends every call that is open. */
  async endAll(): Promise<void> {
    while (this.#ends.length > 0) await this.end();
  }
}

Deno.test("runOpenLoop() starts calls at an even pace, answered or not", async () => {
  const bench = new Bench();
  const run = bench.run({ count: 4 });
  await bench.pass(300);
  assert.deepEqual(bench.startsMs, [0, 100, 200, 300]);
  await bench.endAll();
  await run;
});

Deno.test("runOpenLoop() catches up when it was held up", async () => {
  const bench = new Bench();
  const run = bench.run({ count: 5 });
  await bench.jump(250);
  assert.deepEqual(bench.startsMs, [0, 250, 250]);
  await bench.pass(150);
  assert.deepEqual(bench.startsMs, [0, 250, 250, 300, 400]);
  await bench.endAll();
  await run;
});

Deno.test("runOpenLoop() leaves out what it missed in a long pause", async () => {
  const bench = new Bench();
  const run = bench.run({
    ratePerS: 50,
    concurrency: 1000,
    count: 152,
  });
  await bench.jump(15_000);
  // 750 calls were due: those of the last second are made up for.
  assert.equal(bench.startsMs.length, 1 + 51);
  assert.deepEqual(bench.skips, [[699, "heldUp"]]);
  await bench.pass(2000);
  assert.equal(bench.startsMs.length, 1 + 51 + 100);
  assert.deepEqual(bench.startsMs.slice(-3), [16_960, 16_980, 17_000]);
  await bench.endAll();
  // 151 calls after the first, in 17 s.
  assert.equal(Math.round((await run).reachedPerS * 100), 888);
});

Deno.test("runOpenLoop() goes on at a slow pace after a pause, with one call", async () => {
  const bench = new Bench();
  const run = bench.run({ ratePerS: 0.1, count: 3 });
  await bench.jump(35_000);
  assert.deepEqual(bench.startsMs, [0, 35_000]);
  await bench.pass(5000);
  assert.deepEqual(bench.startsMs, [0, 35_000, 40_000]);
  await bench.endAll();
  await run;
});

Deno.test("runOpenLoop() tells which calls found no place", async () => {
  const bench = new Bench();
  const run = bench.run({ ratePerS: 100, concurrency: 1, count: 10 });
  while (bench.startsMs.length < 10) {
    await bench.pass(500);
    await bench.end();
  }
  await bench.endAll();
  // One in 500 ms; each makes 49 more of them too late, from the third on.
  assert.equal(Math.round((await run).reachedPerS), 2);
  assert.ok(bench.skips.every(([, cause]) => cause === "full"));
  assert.equal(bench.skips.reduce((sum, [calls]) => sum + calls, 0), 341);
});

Deno.test("runOpenLoop() waits again when it was woken too early", async () => {
  const bench = new Bench();
  const startsMs: number[] = [];
  await bench.run({
    count: 2,
    sleep: (ms) => bench.jump(Math.max(1, ms / 2)),
    makeCall: () => {
      startsMs.push(bench.nowMs);
      return Promise.resolve();
    },
  });
  assert.equal(startsMs[0], 0);
  assert.ok((startsMs[1] ?? 0) >= 100);
});

Deno.test("runOpenLoop() never sets a timer that is too long for one", async () => {
  const bench = new Bench();
  const run = bench.run({ ratePerS: 1e-7, count: 2 });
  await bench.jump(3_600_000);
  assert.deepEqual(bench.startsMs, [0]);
  assert.deepEqual(bench.sleepsMs, [3_600_000, 3_600_000]);
  bench.controller.abort();
  await bench.endAll();
  await run;
});

Deno.test("runOpenLoop() keeps to its concurrency; a place lets a call go", async () => {
  const bench = new Bench();
  const run = bench.run({ concurrency: 2, count: 3 });
  await bench.pass(500);
  assert.deepEqual(bench.startsMs, [0, 100]);
  await bench.end();
  assert.deepEqual(bench.startsMs, [0, 100, 500]);
  await bench.endAll();
  await run;
});

Deno.test("runOpenLoop() tells a call its number, its time and how late it is", async () => {
  const bench = new Bench();
  await bench.pass(1000);
  const run = bench.run({ count: 3 });
  await bench.pass(100);
  await bench.jump(130);
  await bench.endAll();
  assert.equal((await run).made, 3);
  assert.deepEqual(bench.ended, [
    { index: 0, dueAtMs: 1000, lateMs: 0 },
    { index: 1, dueAtMs: 1100, lateMs: 0 },
    { index: 2, dueAtMs: 1200, lateMs: 30 },
  ]);
});

Deno.test("runOpenLoop() makes every call, however late, if none may be left out", async () => {
  const loop = new AbortController();
  let nowMs = 0;
  const latesMs: number[] = [];
  const { made } = await runOpenLoop({
    ratePerS: 1,
    count: 4,
    signal: loop.signal,
    makeCall: ({ lateMs }) => {
      latesMs.push(lateMs);
      nowMs += 10_000;
      return Promise.resolve();
    },
    now: () => nowMs,
  });
  assert.equal(made, 4);
  assert.deepEqual(latesMs, [0, 9000, 18_000, 27_000]);
});

Deno.test("runOpenLoop() makes no call when the count is 0", async () => {
  const bench = new Bench();
  assert.equal((await bench.run({ ratePerS: 0, count: 0 })).made, 0);
  assert.deepEqual(bench.startsMs, []);
});

Deno.test("runOpenLoop() waits for its calls when it is told to stop", async () => {
  const bench = new Bench();
  let hasEnded = false;
  const run = bench.run().then(() => hasEnded = true);
  await bench.pass(110);
  bench.controller.abort();
  await bench.pass(500);
  assert.equal(hasEnded, false);
  assert.deepEqual(bench.startsMs, [0, 100]);
  await bench.endAll();
  await run;
  assert.equal(bench.ended.length, 2);
});

Deno.test("runOpenLoop() starts no call that waits for a place when told to stop", async () => {
  const bench = new Bench();
  const run = bench.run({ concurrency: 1 });
  await bench.pass(200);
  bench.controller.abort();
  await bench.endAll();
  await run;
  assert.deepEqual(bench.startsMs, [0]);
});

Deno.test("runOpenLoop() makes no call when it is stopped already", async () => {
  const bench = new Bench();
  bench.controller.abort();
  await bench.run();
  assert.deepEqual(bench.startsMs, []);
});

Deno.test("runOpenLoop() rejects with what makeCall() threw, after every call", async () => {
  const bench = new Bench();
  let ended = 0;
  const ends: (() => void)[] = [];
  const run = bench.run({
    makeCall: async ({ index }) => {
      bench.startsMs.push(bench.nowMs);
      await new Promise<void>((resolve) => ends.push(resolve));
      ended += 1;
      throw new Error(`disk full at call ${index}`);
    },
  });
  await bench.pass(110);
  ends[0]?.();
  await bench.pass(100);
  assert.deepEqual(bench.startsMs, [0, 100]);
  ends[1]?.();
  await assert.rejects(run, { message: "disk full at call 0" });
  assert.equal(ended, 2);
});

Deno.test("runOpenLoop() makes the next call at once without a rate", async () => {
  const bench = new Bench();
  const run = bench.run({ ratePerS: Infinity, count: 5, concurrency: 2 });
  await bench.pass(100);
  assert.deepEqual(bench.startsMs, [0, 0]);
  await bench.end();
  assert.deepEqual(bench.startsMs, [0, 0, 100]);
  await bench.endAll();
  assert.equal((await run).made, 5);
  assert.deepEqual(bench.sleepsMs, []);
});
