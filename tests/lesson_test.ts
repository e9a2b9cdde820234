/** The command `lesson`: what people type, what they see, what is left. */
import assert from "node:assert/strict";
import { UNKNOWN_EXIT_CODE } from "../src/core/load/verdict.ts";
import { FILE, type LessonCopy, makeCopy } from "./lesson_copy.ts";
import { freePort } from "./stacks.ts";

/** Takes the ports of `up`, unless somebody else has them. */
function holdDefaultPorts(): Disposable {
  const held = [5000, 5001, 9901, 8080].flatMap((port) => {
    try {
      return [Deno.listen({ hostname: "127.0.0.1", port })];
    } catch {
      return [];
    }
  });
  return {
    [Symbol.dispose]: () => held.forEach((listener) => listener.close()),
  };
}

/** A check that a busy machine could not judge is made again. */
async function check(
  copy: LessonCopy,
  code: number,
  said: RegExp,
): Promise<void> {
  for (let tries = 1; tries <= 4; tries += 1) {
    const run = copy.lab("lesson", "check");
    const ended = await run.ended;
    assert.deepEqual(run.leftovers(), []);
    if (ended === UNKNOWN_EXIT_CODE) {
      assert.match(run.text(), /Cannot tell whether .*; try/);
    } else {
      assert.equal(ended, code, run.text());
      assert.match(run.text(), said);
      return;
    }
  }
  assert.fail("the machine was too busy for four checks");
}

Deno.test("lesson: started, wrong, solved, and nothing of the learner's is lost", async () => {
  await using copy = await makeCopy();
  await copy.lesson("start 5", 0, /^ {4}\.\/denow task up --config my\/05/m);
  // A check does not need the ports of `up`, which others may have.
  using _ports = holdDefaultPorts();
  await check(copy, 1, /^Calls still reach servers that are out: \d+ of/m);
  const mine = `# mine\n${await copy.read()}`;
  await copy.write(mine);
  await copy.lesson(
    "solve",
    0,
    /what it was is now my\/05-panic\/envoy.yaml.1/,
  );
  assert.equal(await copy.read(`${FILE}.1`), mine);
  await check(copy, 0, /^Solved$/m);
  await copy.lesson("list", 0, /> 5 .*panic .*solved, after a look/);
  await copy.lesson("reset", 0, /is as at the start/);
  await copy.lesson("list", 0, /solved, after a look/);
});

Deno.test("lesson: says what is wrong with a file, and leaves it", async () => {
  await using copy = await makeCopy();
  await copy.lesson(
    "check",
    3,
    /^lesson: No lesson is started; `.\/denow task lesson start/,
  );
  await copy.lesson("start panic", 0, /Your copy of envoy\.yaml/);
  const text = await copy.read();
  for (
    const [from, to, said] of [
      [
        "lb_policy: ROUND_ROBIN",
        "lb_policy: [",
        /^lesson: Cannot parse my\/05-panic\/envoy\.yaml: .* at line \d+/m,
      ],
      [
        "lb_policy: ROUND_ROBIN",
        "lb_polcy: ROUND_ROBIN",
        /^lesson: Envoy refuses "my\/05-.*cluster "grpc-server", field lb_polcy: there is no such field; fix it there$/m,
      ],
      [
        "lb_policy: ROUND_ROBIN",
        "lb_policy: ROUND_ROBBIN",
        /^lesson: Envoy refuses "my\/05-.*field lb_policy.*ROUND_ROBBIN/m,
      ],
      [
        "- name: grpc-server\n",
        "- name: grpc-servers\n",
        /^lesson: Cannot use my\/05-.*no cluster named "grpc-server"/m,
      ],
      [
        "- name: grpc\n",
        "- name: grcp\n",
        /^lesson: Cannot use my\/05-.*no listener named "grpc"/m,
      ],
    ] as const
  ) {
    assert.ok(text.includes(from));
    const mine = text.replace(from, to);
    await copy.write(mine);
    await copy.lesson("check", 3, said);
    assert.equal(await copy.read(), mine);
  }
});

Deno.test("lesson check, interrupted, leaves nothing running and the file as it was", async () => {
  await using copy = await makeCopy();
  await copy.lesson("start 5", 0, /Your copy/);
  const mine = `# mine\n${await copy.read()}`;
  await copy.write(mine);
  for (const moment of [/measuring/, /\* two of three/]) {
    const run = copy.lab("lesson", "check");
    await run.printed(moment);
    run.process.kill("SIGINT");
    assert.equal(await run.ended, 130, run.text());
    assert.match(run.text(), /^lesson: interrupted /m);
    assert.deepEqual(run.leftovers(), []);
    assert.equal(await copy.read(), mine);
  }
});

Deno.test("lesson: says where it cannot write, and what is damaged", async () => {
  await using copy = await makeCopy();
  await copy.write("", "my");
  await copy.lesson("start 5", 3, /^lesson: Cannot write "my\/.*; make room/m);
  await Deno.remove(`${copy.folder}/my`);
  await copy.lesson("start 5", 0, /Your copy/);
  await copy.write("{", "my/progress.json");
  await copy.lesson("list", 0, /progress\.json was damaged and is now my\/pro/);
  await copy.lesson("check", 3, /No lesson is started/);
  await copy.lesson("start 5", 0, /is as you left it/);
});

Deno.test("up says of a learner's copy which port is taken", async () => {
  await using copy = await makeCopy();
  await copy.lesson("start 5", 0, /Your copy/);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const run = copy.lab(
    ...["up", "--config", FILE, "--port", String(taken.addr.port)],
    ...["--admin-port", String(freePort()), "--no-page"],
    ...["--server-port", String(freePort())],
  );
  assert.equal(await run.ended, 3, run.text());
  assert.match(run.text(), new RegExp(`${taken.addr.port}.*taken`));
  assert.deepEqual(run.leftovers(), []);
});

Deno.test("lesson says what is wrong with its command line", async () => {
  await using copy = await makeCopy();
  for (
    const [verb, said] of [
      ["start", /start needs a number or a name/],
      ["check 5", /"5" is not understood after "lesson check"/],
      ["chekc", /lesson needs one of list, start NN, .*: "chekc"/],
      ["start 6", /There is no lesson "6"/],
    ] as const
  ) await copy.lesson(verb, 2, said);
});
