import assert from "node:assert/strict";
import { chooseRuntime, type RuntimeOptions } from "./runtime.ts";

const HERE = "x86_64-unknown-linux-gnu";
const ELSEWHERE = "aarch64-apple-darwin";

function machine(options: Partial<RuntimeOptions> = {}): RuntimeOptions {
  return {
    denortBin: undefined,
    denortDeno: undefined,
    host: HERE,
    hasDenort: () => Promise.resolve(false),
    findStandIn: () =>
      Promise.resolve({ denort: "/stand-in", deno: "/older-deno" }),
    ...options,
  };
}

const REACHED = { hasDenort: () => Promise.resolve(true) };

Deno.test("chooseRuntime() takes Deno's own where it is to be had", async () => {
  for (const target of [HERE, ELSEWHERE] as const) {
    const runtime = await chooseRuntime(target, machine(REACHED));
    assert.equal(runtime.denort, undefined);
    assert.equal(runtime.note, undefined);
    assert.match(runtime.component.purl, /^pkg:github\/denoland\/deno@v\d/);
  }
});

Deno.test("chooseRuntime() takes the stand-in for this machine, and says so", async () => {
  const runtime = await chooseRuntime(HERE, machine());
  assert.equal(runtime.denort, "/stand-in");
  assert.equal(runtime.deno, "/older-deno");
  assert.match(
    runtime.note ?? "",
    /^The runtime is a stand-in, .* cannot be reached$/,
  );
  assert.match(runtime.component.purl, /^pkg:npm\/%40stdy/);
});

Deno.test("chooseRuntime() has no stand-in for other platforms", async () => {
  await assert.rejects(chooseRuntime(ELSEWHERE, machine()), {
    name: "Failure",
    kind: "environment",
    message:
      /^Cannot build for aarch64-apple-darwin: .* cannot be reached; .*$/,
  });
});

Deno.test("chooseRuntime() takes DENORT_BIN for this machine only", async () => {
  const given = machine({ denortBin: "/mine", ...REACHED });
  assert.equal((await chooseRuntime(HERE, given)).denort, "/mine");
  assert.equal((await chooseRuntime(ELSEWHERE, given)).denort, undefined);
});
