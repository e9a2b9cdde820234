import assert from "node:assert/strict";
import type { History } from "./history.ts";
import { memoryGrowsAtMost, memoryIn } from "./memory.ts";

const STACK = {
  endpoint: "127.0.0.1:5000",
  servers: () => [
    { name: "server-1", address: "127.0.0.1:8080", isRunning: true },
    { name: "server-2", address: "127.0.0.2:8080", isRunning: true },
  ],
};

const TABLE = `
 51200 /envoy --config-yaml {"address":"127.0.0.1","port_value":50001}
 61440 /envoy --config-yaml {"address":"127.0.0.1","port_value":5000}
 10240 deno run src/server.ts --host 127.0.0.1 --port 80801 --name server-1
102400 deno run src/server.ts --host 127.0.0.1 --port 8080 --name server-1
`;

function historyOf(values: readonly number[]): History {
  const measures = values.map((value) => ({
    name: "memory of envoy",
    value,
    atMs: 0,
  }));
  return { measures } as unknown as History;
}

Deno.test("memoryIn() knows a stack's own programs by their addresses", () => {
  assert.deepEqual(memoryIn(TABLE, STACK), [
    { program: "envoy", mib: 60 },
    { program: "server-1", mib: 100 },
  ]);
});

Deno.test("memoryGrowsAtMost() compares the most with the first", () => {
  const judge = memoryGrowsAtMost(["envoy"], 20);
  const verdicts = [[], [50], [50, 70, 55], [50, 71, 55]]
    .map((values) => judge(historyOf(values)).verdict);
  assert.deepEqual(verdicts, ["unknown", "unknown", "held", "broken"]);
});
