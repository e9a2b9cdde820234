import assert from "node:assert/strict";
import { grpcCluster, noRetries } from "../experiment/changes.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import type { GoverningLines } from "../stack/governing.ts";
import { excerptsOf } from "./excerpts.ts";

const LINES: readonly GoverningLines[] = [
  { part: "retries", file: "my.yaml", line: 7, text: "retry_policy: {}" },
  { part: "outliers", file: "my.yaml", line: 9, text: "outlier_detection: {}" },
  { part: "panic", file: "lb.yaml", line: 3, text: "# A\nb: 0" },
];

/** The excerpts while the configuration is another one than the file's. */
function excerptsAfter(
  change: (config: ReturnType<typeof parseEnvoyConfig>) => void,
) {
  const config = parseEnvoyConfig();
  change(config);
  const excerpts = excerptsOf(LINES, parseEnvoyConfig(), config);
  return new Map(excerpts.map((one) => [one.figure, one]));
}

Deno.test("excerptsOf() has each figure's lines, and none where a file has none", () => {
  const excerpts = excerptsAfter(() => {});
  assert.deepEqual([...excerpts.keys()].sort(), [
    ...["ejections", "ejectionsActive", "isPanicking", "retries"],
  ]);
  assert.deepEqual(excerpts.get("isPanicking"), {
    ...{ figure: "isPanicking", file: "lb.yaml", line: 3, text: "# A\nb: 0" },
    instead: null,
  });
});

Deno.test("excerptsOf() says what Envoy has in place of lines not in force", () => {
  const excerpts = excerptsAfter((config) => {
    noRetries.apply(config);
    grpcCluster(config)["outlier_detection"] = { interval: "1s" };
  });
  assert.equal(excerpts.get("retries")?.instead, "");
  assert.equal(excerpts.get("retries")?.text, "retry_policy: {}");
  assert.equal(excerpts.get("ejections")?.instead, "interval: 1s");
  assert.equal(excerpts.get("isPanicking")?.instead, null);
});
