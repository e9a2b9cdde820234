import assert from "node:assert/strict";
import type { State, StoryState } from "../control/state.ts";
import { Outbox, parcel } from "./outbox.ts";

const HELLO = parcel("hello", {
  state: {} as State,
  seconds: [],
  stories: [],
  excerpts: [],
});

const text = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : new TextDecoder().decode(bytes);

const story = (id: number, isOpen: boolean): StoryState => ({
  ...{ id, atMs: 0, who: "", text: `story ${id}`, isOpen },
});

Deno.test("Outbox tells everything first, and then what is new", async () => {
  const outbox = new Outbox(() => HELLO);
  outbox.put(parcel("state", { atMs: 1 } as State));
  assert.match(text(await outbox.take()) ?? "", /^event: hello\ndata: \{/);
  const waiting = outbox.take();
  outbox.put(parcel("state", { atMs: 2 } as State));
  assert.equal(
    text(await waiting),
    'event: state\ndata: {"atMs":2}\n\n',
  );
});

Deno.test("Outbox keeps the newest state only, and each story once", async () => {
  const outbox = new Outbox(() => HELLO);
  await outbox.take();
  for (let atMs = 0; atMs < 1000; atMs += 1) {
    outbox.put(parcel("state", { atMs } as State));
  }
  outbox.put(parcel("story", story(1, true)));
  outbox.put(parcel("story", story(1, false)));
  assert.match(text(await outbox.take()) ?? "", /"atMs":999/);
  assert.match(text(await outbox.take()) ?? "", /"isOpen":false/);
  outbox.close();
  assert.equal(await outbox.take(), undefined);
});

Deno.test("Outbox tells everything again to a viewer that has slept", async () => {
  const outbox = new Outbox(() => HELLO);
  await outbox.take();
  for (let id = 0; id < 1000; id += 1) {
    outbox.put(parcel("story", story(id, true)));
  }
  assert.match(text(await outbox.take()) ?? "", /^event: hello/);
});

Deno.test("what a message says cannot begin another one", () => {
  const { bytes } = parcel("story", {
    ...story(1, true),
    text: "a\n\nevent: b",
  });
  assert.equal((text(bytes) ?? "").split("\n").length, 4);
});
