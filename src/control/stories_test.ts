import assert from "node:assert/strict";
import type { StoryState } from "./state.ts";
import { Stories } from "./stories.ts";

Deno.test("Stories tells of each that begins or changes", () => {
  const told: StoryState[] = [];
  const stories = new Stories((story) => told.push(story), () => 7);
  const story = stories.begin("page", "server-2 killed", true);
  story.tell("server-2 killed; back", true);
  story.tell("server-2 killed; back", true); // Nothing new.
  story.tell("server-2 killed; back", false);
  assert.deepEqual(
    told.map(({ text, isOpen }) => [text, isOpen]),
    [
      ["server-2 killed", true],
      ["server-2 killed; back", true],
      ["server-2 killed; back", false],
    ],
  );
  assert.deepEqual(stories.kept, [told.at(-1)]);
});

Deno.test("Stories forgets the oldest of very many", () => {
  let told = 0;
  const stories = new Stories(() => told += 1);
  const first = stories.begin("", "first");
  for (let at = 0; at < 1000; at += 1) stories.begin("", `story ${at}`);
  assert.equal(stories.kept.length, 500);
  told = 0;
  first.tell("what nobody keeps any more", false);
  assert.equal(told, 0);
});
