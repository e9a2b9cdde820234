import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { STATUS_NAMES, statusName } from "./status.ts";

Deno.test("the names of statuses are those of grpc-js", () => {
  const names = Object.entries(status)
    .filter(([, code]) => typeof code === "number")
    .sort(([, a], [, b]) => Number(a) - Number(b))
    .map(([name]) => name);
  assert.deepEqual([...STATUS_NAMES], names);
});

Deno.test("statusName() has a word for codes that gRPC does not know", () => {
  assert.equal(statusName(14), "UNAVAILABLE");
  assert.equal(statusName(99), "CODE_99");
  assert.equal(statusName(-1), "CODE_-1");
});
