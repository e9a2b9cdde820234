import assert from "node:assert/strict";
import { plainMessage } from "./_plain.ts";
import { READINGS, REFUSED } from "./_readings.ts";
import { readMessage } from "./proto_json.ts";
import { parseTree, positionsIn } from "./yaml_tree.ts";

function read(text: string, type = "envoy.config.cluster.v3.Cluster") {
  const [tree] = parseTree(text, "a.yaml");
  assert.ok(tree);
  const source = { name: "a.yaml", text, positionOf: positionsIn(text) };
  return readMessage(tree, type, source);
}

for (const { field, value, reads } of READINGS) {
  Deno.test(`readMessage() reads "${field}: ${value}"`, () => {
    const { message, problems } = read(`${field}: ${value}\n`);
    if (reads === REFUSED) {
      assert.equal(problems.length, 1);
    } else {
      assert.deepEqual(problems, []);
      const name = field === "connectTimeout" ? "connect_timeout" : field;
      assert.deepEqual(
        plainMessage(message)[name] ?? null,
        reads === false ? null : reads,
      );
    }
  });
}
