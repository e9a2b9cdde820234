import assert from "node:assert/strict";
import { Failure } from "../core/errors.ts";
import type { Finding } from "../experiment/conduct.ts";
import type { StackFactory } from "../experiment/stacks.ts";
import { NotHealthy } from "../stack/healthy.ts";
import { PANIC } from "./_fixture.ts";
import { startText } from "./course.ts";
import { editYaml } from "./edit_yaml.ts";
import { concluded, judgeFile } from "./judge.ts";

const finding = (
  id: string,
  verdict: Finding["verdict"],
): Finding => ({ id, text: `${id} is true`, verdict, measured: `7 ${id}` });

for (
  const [what, findings, invariants, verdict, sentence] of [
    ["all hold", [finding("lost", "held")], [], "solved", /^Solved$/],
    [
      "a claim is broken",
      [finding("other", "held"), finding("lost", "broken")],
      [finding("no-panic", "broken")],
      "wrong",
      /^Calls still reach servers that are out: 7 lost$/,
    ],
    [
      "only an invariant is broken",
      [finding("lost", "held")],
      [finding("no-panic", "broken")],
      "wrong",
      /claims hold, but not that no-panic is true: 7 no-panic$/,
    ],
    [
      "a claim is unknown",
      [finding("lost", "unknown")],
      [],
      "unclear",
      /^Cannot tell whether lost is true: 7 lost; try again/,
    ],
    [
      "an invariant is unknown",
      [finding("lost", "held")],
      [finding("on-time", "unknown")],
      "unclear",
      /whether on-time is true/,
    ],
  ] as const
) {
  Deno.test(`concluded() is ${verdict} when ${what}`, () => {
    const outcome = concluded(
      PANIC.check.claims,
      findings,
      invariants,
      (sentence, findings) => ({ verdict: "wrong", sentence, findings }),
    );
    assert.equal(outcome.verdict, verdict);
    assert.match(outcome.sentence, sentence);
  });
}

/** Stacks that fail to start. */
function failing(error: Error): StackFactory {
  return { name: "failing", start: () => Promise.reject(error) };
}

const judge = (
  text: string,
  error: Error = new Error("a stack was started"),
  signal: AbortSignal = new AbortController().signal,
) =>
  judgeFile(PANIC, text, { stacks: failing(error), signal, name: "my.yaml" });

for (
  const [what, from, to, message] of [
    [
      "no YAML",
      "lb_policy: ROUND_ROBIN",
      "lb_policy: [",
      /^Cannot parse my\.yaml: .* at line \d+/,
    ],
    [
      "a field twice",
      "lb_policy: ROUND_ROBIN",
      "lb_policy: A\n      lb_policy: B",
      /^Cannot parse my\.yaml: Map keys must be unique at line \d+/,
    ],
    [
      "an alias without its anchor",
      "health_checks: &health_checks",
      "health_checks:",
      /^Cannot parse my\.yaml: .*health_checks.* line \d+/,
    ],
    [
      "no listener for calls",
      "- name: grpc\n",
      "- name: other\n",
      /^Cannot use my\.yaml: it has no listener named "grpc"; /,
    ],
    [
      "no cluster of servers",
      "- name: grpc-server\n",
      "- name: other\n",
      /^Cannot use my\.yaml: it has no cluster named "grpc-server"; /,
    ],
  ] as const
) {
  Deno.test(`judgeFile() says of a file with ${what} what is wrong`, async () => {
    const text = startText(PANIC);
    assert.ok(text.includes(from));
    await assert.rejects(judge(text.replace(from, to)), {
      name: "Failure",
      kind: "environment",
      message,
    });
  });
}

Deno.test("judgeFile() calls a file wrong with which no server gets healthy", async () => {
  const failure = new NotHealthy("environment", "Envoy has not found 3");
  const plain = await judge(startText(PANIC), failure);
  assert.deepEqual([plain.verdict, plain.sentence], ["wrong", failure.message]);
  for (const { edits, sentence } of PANIC.mistakes) {
    const text = editYaml(startText(PANIC), edits);
    assert.equal((await judge(text, failure)).sentence, sentence);
  }
});

Deno.test("judgeFile() passes on why a stack did not start", async () => {
  const failure = new Failure("environment", "Envoy refuses my.yaml: x");
  await assert.rejects(judge(startText(PANIC), failure), failure);
});

Deno.test("judgeFile() says that it was interrupted, whatever failed then", async () => {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(
    judge(startText(PANIC), new Error("killed"), stop.signal),
    { kind: "interrupted", message: /my\.yaml is as it was$/ },
  );
});
