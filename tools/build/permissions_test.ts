import assert from "node:assert/strict";
import { permissionFlags, permissionSet } from "./permissions.ts";

Deno.test("permissionFlags() gives what the set has, and nothing else", () => {
  assert.deepEqual(
    permissionFlags({
      net: ["0.0.0.0:1", "127.0.0.0/8:1"],
      env: true,
      run: false,
      read: [],
    }),
    ["--allow-net=0.0.0.0:1,127.0.0.0/8:1", "--allow-env"],
  );
});

Deno.test("permissionFlags() refuses what it does not know", () => {
  for (const set of [{ all: true }, { import: true }, { Net: true }]) {
    assert.throws(() => permissionFlags(set), {
      name: "RangeError",
      message: /^Cannot compile in the permission "\w+"$/,
    });
  }
});

Deno.test("a compiled server may listen, read its variables and its name", () => {
  assert.deepEqual(Object.keys(permissionSet("server")), ["net", "env", "sys"]);
});
