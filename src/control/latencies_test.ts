import assert from "node:assert/strict";
import { Latencies, LATENCY_S } from "./latencies.ts";

Deno.test("Latencies tells servers apart, and has none of those that do not answer", () => {
  const latencies = new Latencies();
  for (let call = 0; call < 98; call += 1) latencies.add("server-1", 2);
  latencies.add("server-1", 400);
  latencies.add("server-1", 400);
  latencies.add("server-2", 30);
  assert.equal(latencies.of("server-1"), null, "the second has not ended");
  latencies.next();
  const { p50, p99 } = latencies.of("server-1") ?? { p50: 0, p99: 0 };
  assert.ok(Math.abs(p50 - 2) < 0.1, `p50 ${p50}`);
  assert.ok(Math.abs(p99 - 400) < 4, `p99 ${p99}`);
  assert.ok(Math.abs((latencies.of("server-2")?.p99 ?? 0) - 30) < 0.4);
  assert.equal(latencies.of("server-3"), null);
});

Deno.test("Latencies sums up the last seconds, and forgets those before", () => {
  const latencies = new Latencies();
  latencies.add("server-1", 500);
  latencies.next();
  latencies.add("server-1", 5);
  for (let second = 1; second < LATENCY_S; second += 1) latencies.next();
  assert.ok((latencies.of("server-1")?.p99 ?? 0) > 490);
  latencies.next();
  assert.ok((latencies.of("server-1")?.p99 ?? 0) < 6);
  latencies.next();
  assert.equal(latencies.of("server-1"), null);
});

Deno.test("Latencies keeps few names", () => {
  const latencies = new Latencies();
  for (let name = 0; name < 1000; name += 1) latencies.add(`${name}`, 1);
  latencies.next();
  const kept = Array.from({ length: 1000 }, (_, name) => `${name}`)
    .filter((name) => latencies.of(name) !== null);
  assert.ok(kept.length < 70, `${kept.length} names`);
});
