import assert from "node:assert/strict";
import { Follow, type Sight } from "./follow.ts";

const GOOD: Sight = {
  atMs: 0,
  process: "running",
  envoy: "healthy",
  retries: 10,
  lost: { l7: 1, l4: 0 },
};

/** Sees all of these, one after another. */
function seeAll(sights: readonly Partial<Sight>[]): Follow {
  const follow = new Follow("server-2 killed", GOOD);
  for (const sight of sights) follow.see({ ...GOOD, ...sight });
  return follow;
}

const GONE = [
  { atMs: 250, process: "stopped" },
  { atMs: 1100, process: "stopped", envoy: "failing checks", retries: 13 },
] as const;

Deno.test("a story is told as far as it is known", () => {
  const follow = seeAll(GONE.slice(0, 1));
  assert.equal(follow.text(), "server-2 killed; 0 calls retried, 0 lost");
  assert.equal(follow.isOver, false);
});

Deno.test("a story ends some time after the server is back", () => {
  const back = { atMs: 4200, retries: 13 } as const;
  assert.equal(seeAll([...GONE, back]).isOver, false);
  const follow = seeAll([...GONE, back, { ...back, atMs: 5800 }]);
  assert.equal(
    follow.text(),
    "server-2 killed; Envoy took it out of rotation after 1.1 s; 3 calls retried, 0 lost; " +
      "back after 4.2 s",
  );
  assert.equal(follow.isOver, true);
});

Deno.test("a server that goes again was not back", () => {
  const follow = seeAll([
    ...GONE,
    { atMs: 4000 },
    { atMs: 4250, envoy: "ejected" },
    { atMs: 9000 },
    { atMs: 11_000 },
  ]);
  assert.match(follow.text(), /back after 9\.0 s$/);
});

Deno.test("a server that Envoy never takes out is told so", () => {
  const follow = seeAll([{ atMs: 8000, lost: { l7: 2, l4: 3 } }]);
  assert.equal(follow.isOver, true);
  assert.equal(
    follow.text(),
    "server-2 killed; Envoy kept calling it; 0 calls retried, 1 lost, 3 at L4",
  );
});

Deno.test("nothing is followed for ever", () => {
  assert.equal(seeAll([...GONE, { ...GONE[1], atMs: 120_000 }]).isOver, true);
});
