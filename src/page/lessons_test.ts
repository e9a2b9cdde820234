import assert from "node:assert/strict";
import { Refusal } from "../control/actions.ts";
import { PANIC } from "../lesson/_fixture.ts";
import type { Lesson } from "../lesson/lesson.ts";
import { LessonDesk } from "./lessons.ts";

/** A desk in a folder of its own, whose checks wait for `go`. */
async function withDesk(
  work: (desk: LessonDesk, go: () => void, folder: string) => Promise<void>,
  lessons: readonly Lesson[] = [PANIC],
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "desk-test-" });
  const { promise, resolve } = Promise.withResolvers<void>();
  const desk = new LessonDesk(lessons, async (signal) => {
    await promise;
    return {
      signal,
      stacks: {
        name: "none",
        start: () => Promise.reject(new Error("no stack here")),
      },
    };
  }, folder);
  try {
    await work(desk, resolve, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("LessonDesk shows a lesson's text once it is started, and hints as they are asked for", async () => {
  await withDesk(async (desk) => {
    const first = await desk.state();
    assert.deepEqual([first.blocks, first.hints], [[], []]);
    assert.equal(first.lessons[0]?.isStarted, false);
    const { state, sentence } = await desk.ask({ do: "start", name: "panic" });
    assert.match(sentence, /^Your copy of envoy\.yaml/);
    assert.equal(state.lessons[0]?.isCurrent, true);
    assert.deepEqual(state.blocks.map(({ kind }) => kind), [
      "heading",
      "paragraph",
      "code",
    ]);
    const hinted = await desk.ask({ do: "hint" });
    assert.deepEqual(hinted.state.hints, [PANIC.hints[0]]);
    assert.doesNotMatch(JSON.stringify(hinted), /Set 0/, "no later hint");
  });
});

Deno.test("LessonDesk: solve and reset keep the learner's file", async () => {
  await withDesk(async (desk, _, folder) => {
    await desk.ask({ do: "start", name: "panic" });
    await Deno.writeTextFile(`${folder}/05-panic/envoy.yaml`, "mine");
    const { sentence } = await desk.ask({ do: "solve" });
    assert.match(sentence, /what it was is now .*envoy\.yaml\.1$/);
    assert.equal(
      await Deno.readTextFile(`${folder}/05-panic/envoy.yaml.1`),
      "mine",
    );
  });
});

Deno.test("LessonDesk: next starts the lesson after the current one, until the last", async () => {
  const lessons = [PANIC, { ...PANIC, number: 6, name: "after" }];
  await withDesk(async (desk) => {
    const next = async () => {
      const { sentence, state } = await desk.ask({ do: "next" });
      const current = state.lessons.find(({ isCurrent }) => isCurrent);
      return [current?.name, sentence];
    };
    const copy = "Your copy of envoy.yaml for this lesson is ";
    const [first, second] = [await next(), await next()];
    assert.deepEqual([first[0], second[0]], ["panic", "after"]);
    assert.match(first[1] ?? "", new RegExp(`^${copy}.*/05-panic/envoy.yaml$`));
    assert.match(
      second[1] ?? "",
      new RegExp(`^${copy}.*/06-after/envoy.yaml$`),
    );
    await assert.rejects(desk.ask({ do: "next" }), {
      kind: "environment",
      message: /^This was the last lesson; not solved yet: 5, 6; /,
    });
  }, lessons);
});

Deno.test("LessonDesk says once that the progress was damaged", async () => {
  await withDesk(async (desk, _, folder) => {
    await Deno.writeTextFile(`${folder}/progress.json`, "{");
    const { notes } = await desk.state();
    assert.match(notes.join(), /was damaged and is now .*progress\.json\.1/);
    assert.deepEqual((await desk.state()).notes, []);
    await Deno.writeTextFile(`${folder}/progress.json`, "{");
    const { sentence } = await desk.ask({ do: "start", name: "panic" });
    assert.match(sentence, /was damaged .*\.2; .* Your copy/);
  });
});

Deno.test("LessonDesk makes one check at a time, and interrupts it when it closes", async () => {
  await withDesk(async (desk, go) => {
    await desk.ask({ do: "start", name: "panic" });
    const check = desk.ask({ do: "check" });
    await assert.rejects(desk.ask({ do: "check" }), {
      name: "Refusal",
      message: "A check is running already",
    });
    desk.close();
    go();
    await assert.rejects(check, { kind: "interrupted" });
    await assert.rejects(desk.ask({ do: "check" }), { kind: "interrupted" });
  });
});

for (
  const wish of [
    null,
    [],
    {},
    { do: "start" },
    { do: "start", name: 5 },
    { do: "list" },
    { do: "constructor" },
  ]
) {
  Deno.test(`LessonDesk refuses ${JSON.stringify(wish)}`, async () => {
    await withDesk(async (desk) => {
      await assert.rejects(desk.ask(wish), (error) => {
        assert.ok(error instanceof Refusal);
        assert.match(error.message, /^do must be start with the name/);
        return true;
      });
    });
  });
}
