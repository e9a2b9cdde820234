import assert from "node:assert/strict";
import { Outages } from "./outages.ts";

const DOWN = "no answer; going on until calls succeed again";

Deno.test("Outages speaks once when calls fail and once when they succeed", () => {
  let nowMs = 0;
  const outages = new Outages(() => nowMs);
  const news: (readonly [number, string | undefined])[] = [];
  const calls = ["reply", "error", "error", "reply", "reply", "error"] as const;
  for (const [index, kind] of calls.entries()) {
    nowMs = (index + 1) * 1000;
    const base = { call: index + 1, latencyMs: 200 };
    news.push([
      index + 1,
      outages.afterCall(
        kind === "reply"
          ? { kind, server: "a", number: 1, ...base }
          : { kind, code: "UNAVAILABLE", details: "no", ...base },
      ),
    ]);
  }
  assert.deepEqual(news, [
    [1, undefined],
    [2, DOWN],
    [3, undefined],
    // The first failed call started at 1.8 s; the answer came at 4 s.
    [4, "answered again after 2.2 s"],
    [5, undefined],
    [6, DOWN],
  ]);
});
