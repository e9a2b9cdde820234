import assert from "node:assert/strict";
import { at, listOf } from "../core/yaml.ts";
import { grpcCluster, noRetries } from "../experiment/changes.ts";
import { parseEnvoyConfig } from "../stack/envoy_config.ts";
import {
  absentIn,
  configWith,
  PROTECTIONS,
  protectionStates,
} from "./protections.ts";

Deno.test("each protection of Envoy's changes envoy.yaml, and only a copy", () => {
  const config = parseEnvoyConfig();
  const text = JSON.stringify(config);
  const seen = new Set([text]);
  for (const { id, turn } of PROTECTIONS) {
    const changed = JSON.stringify(configWith(config, new Set([id])));
    assert.equal(seen.has(changed), turn === undefined, id);
    seen.add(changed);
  }
  assert.equal(JSON.stringify(config), text);
  assert.equal(JSON.stringify(configWith(config, new Set())), text);
});

Deno.test("all protections can be off together, and then all are", () => {
  const all = new Set(PROTECTIONS.map(({ id }) => id));
  const config = configWith(parseEnvoyConfig(), all);
  const left = PROTECTIONS.filter(({ id, turn }) =>
    turn !== undefined &&
    JSON.stringify(config) !==
      JSON.stringify(configWith(config, new Set([id])))
  );
  assert.deepEqual(left, []);
});

Deno.test("a protection leaves the limits of streams and of others alone", () => {
  const config = configWith(parseEnvoyConfig(), new Set(["circuit-breaker"]));
  const thresholds = listOf(
    at(grpcCluster(config), "circuit_breakers", "thresholds"),
  );
  const [calls, streams] = thresholds;
  assert.equal(calls?.["max_requests"], undefined);
  assert.equal(at(calls, "retry_budget", "min_retry_concurrency"), 20);
  assert.equal(streams?.["max_requests"], 256);
});

Deno.test("protectionStates() says which are on", () => {
  const isOn = (turned: readonly string[]) =>
    Object.fromEntries(
      protectionStates(new Set(turned), new Set()).map((
        one,
      ) => [one.id, one.isOn]),
    );
  assert.equal(isOn([])["retries"], true);
  assert.equal(isOn([])["least-request"], false);
  assert.equal(isOn(["retries"])["retries"], false);
  assert.equal(isOn(["least-request"])["least-request"], true);
});

Deno.test("absentIn() finds what a configuration lacks, and that is off", () => {
  assert.deepEqual([...absentIn(parseEnvoyConfig())], []);
  const config = parseEnvoyConfig();
  const cluster = grpcCluster(config);
  for (
    const field of ["health_checks", "outlier_detection", "common_lb_config"]
  ) delete cluster[field];
  cluster["circuit_breakers"] = { thresholds: [{ max_requests: 7 }] };
  noRetries.apply(config);
  const absent = absentIn(config);
  assert.deepEqual([...absent], [
    "retries",
    "retry-budget",
    "health-checks",
    "outlier-detection",
    "panic-threshold",
  ]);
  const states = protectionStates(new Set(), absent);
  assert.deepEqual(
    states.filter(({ isOn }) => isOn).map(({ id }) => id),
    ["circuit-breaker", "draining"],
  );
});
