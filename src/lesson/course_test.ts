import assert from "node:assert/strict";
import { Failure } from "../core/errors.ts";
import { ENVOY_YAML } from "../stack/envoy_config.ts";
import { PANIC } from "./_fixture.ts";
import { Course, readableText, solvedText, startText } from "./course.ts";
import type { Lesson } from "./lesson.ts";

const DRAINING: Lesson = { ...PANIC, number: 6, name: "draining" };

const FILE = "05-panic/envoy.yaml";

/** A course in a folder of its own. */
async function withCourse(
  work: (course: Course, folder: string, notes: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "course-test-" });
  const notes: string[] = [];
  try {
    const onNote = (sentence: string) => notes.push(sentence);
    await work(
      new Course([PANIC, DRAINING], { folder, onNote }),
      folder,
      notes,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const read = (folder: string, name = FILE) =>
  Deno.readTextFile(`${folder}/${name}`);

Deno.test("Course: a lesson starts with its own copy, which stays", async () => {
  await withCourse(async (course, folder) => {
    const first = await course.start("5");
    assert.match(first.sentence, /^Your copy .*05-panic\/envoy\.yaml$/);
    assert.equal(await read(folder), startText(PANIC));
    assert.notEqual(startText(PANIC), ENVOY_YAML);
    await Deno.writeTextFile(`${folder}/${FILE}`, "mine");
    const second = await course.start("panic");
    assert.match(
      second.sentence,
      /is as you left it; `.\/denow task lesson reset`/,
    );
    assert.equal(await read(folder), "mine");
  });
});

Deno.test("Course: reset and solve keep each file that was there", async () => {
  await withCourse(async (course, folder) => {
    await course.start("5");
    await Deno.writeTextFile(`${folder}/${FILE}`, "first");
    assert.match((await course.reset()).sentence, /now .*envoy\.yaml\.1$/);
    assert.equal(await read(folder), startText(PANIC));
    await Deno.writeTextFile(`${folder}/${FILE}`, "second");
    assert.match((await course.solve()).sentence, /now .*envoy\.yaml\.2$/);
    assert.equal(await read(folder), solvedText(PANIC));
    assert.doesNotMatch((await course.solve()).sentence, /now/);
    assert.equal(await read(folder, `${FILE}.1`), "first");
    assert.equal(await read(folder, `${FILE}.2`), "second");
    const names = [...Deno.readDirSync(`${folder}/05-panic`)];
    assert.equal(names.length, 3, "no temporary file is left");
  });
});

Deno.test("Course: reset makes a copy that was removed", async () => {
  await withCourse(async (course, folder) => {
    await course.start("5");
    await Deno.remove(`${folder}/${FILE}`);
    await assert.rejects(
      course.check(() => assert.fail("nothing to measure")),
      {
        kind: "environment",
        message: /envoy\.yaml is missing; `.\/denow task lesson reset/,
      },
    );
    await course.reset();
    assert.equal(await read(folder), startText(PANIC));
  });
});

Deno.test("Course: hints unfold one by one, per lesson", async () => {
  await withCourse(async (course) => {
    await course.start("5");
    const shown: string[] = [];
    for (const _ of [1, 2, 3, 4]) shown.push((await course.hint()).sentence);
    assert.match(shown[0] ?? "", /^Hint 1 of 3: Count/);
    assert.match(shown[1] ?? "", /^Hint 2 of 3: Who/);
    assert.match(
      shown[2] ?? "",
      /^Hint 3 of 3: Set 0\. \(That was the last; `.\/denow task lesson solve`/,
    );
    assert.equal(shown[3], shown[2]);
    await course.start("6");
    assert.match((await course.hint()).sentence, /^Hint 1 of 3/);
  });
});

Deno.test("Course: another lesson in between changes nothing of the first", async () => {
  await withCourse(async (course, folder) => {
    await course.start("5");
    await course.hint();
    await Deno.writeTextFile(`${folder}/${FILE}`, "mine");
    const { lesson } = await course.next();
    assert.equal(lesson.name, "draining");
    assert.equal(await read(folder), "mine");
    const [panic, draining] = await course.list();
    assert.deepEqual(
      [panic?.hints, panic?.isCurrent, draining?.isCurrent],
      [1, false, true],
    );
    await assert.rejects(course.next(), {
      kind: "environment",
      message:
        /the last lesson; not solved yet: 5, 6; `.\/denow task lesson start 5`/,
    });
  });
});

Deno.test("Course: a lesson that is started while another is judged stays the current one", async () => {
  await withCourse(async (other, folder) => {
    const course = new Course([PANIC, DRAINING], {
      folder,
      judge: async () => {
        await other.start("6");
        return { verdict: "solved", sentence: "Solved", findings: [] };
      },
    });
    await course.start("5");
    await course.check(() => Promise.resolve({} as never));
    const [panic, draining] = await course.list();
    assert.deepEqual(
      [panic?.isSolved, draining?.isSolved, draining?.isCurrent],
      [true, false, true],
    );
  });
});

Deno.test("Course: says which lessons there are", async () => {
  await withCourse(async (course) => {
    await assert.rejects(course.current(), {
      message: /`.\/denow task lesson start 1`/,
    });
    for (
      const [word, message] of [
        ["7", /no lesson "7"; `.\/denow task lesson list` shows all 2/],
        ["panik", /no lesson "panik"; did you mean panic\?/],
      ] as const
    ) {
      await assert.rejects(course.start(word), { kind: "usage", message });
    }
  });
});

for (
  const [what, text] of [
    ["no JSON", "{"],
    ["not a progress", '{"current":"panic","lessons":{"panic":1}}'],
    ["a list", "[]"],
  ] as const
) {
  Deno.test(`Course: sets a progress aside that is ${what}`, async () => {
    await withCourse(async (course, folder, notes) => {
      await course.start("5");
      await Deno.writeTextFile(`${folder}/progress.json`, text);
      const [panic] = await course.list();
      assert.equal(panic?.isStarted, true, "files are not forgotten");
      assert.match(notes.join(), /was damaged and is now .*progress\.json\.1;/);
      assert.equal(await read(folder, "progress.json.1"), text);
      await course.list();
      assert.equal(notes.length, 1, "it is said once");
    });
  });
}

Deno.test("Course: says where it cannot write", async () => {
  await withCourse(async (_, folder) => {
    // A folder that nobody can make, not even who may do everything.
    await Deno.writeTextFile(`${folder}/file`, "");
    const course = new Course([PANIC], { folder: `${folder}/file/my` });
    await assert.rejects(course.start("5"), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.kind, "environment");
      assert.match(error.message, /^Cannot write ".*": .*; make room, or make/);
      return true;
    });
  });
});

Deno.test("readableText() explains an incident only at its end", () => {
  const text = "## Question\n\nWhy?\n\n## What it was\n\nThis.\n";
  const lesson = { ...PANIC, text };
  const incident = { ...lesson, isIncident: true };
  const [no, yes] = [{ isSolved: false, isShown: false }, text];
  assert.equal(readableText({ ...no, lesson }), yes);
  assert.equal(
    readableText({ ...no, lesson: incident }),
    "## Question\n\nWhy?\n\n",
  );
  for (const end of [{ isSolved: true }, { isShown: true }]) {
    assert.equal(readableText({ ...no, ...end, lesson: incident }), yes);
  }
});
