import assert from "node:assert/strict";
import { seededRandom } from "../../src/core/random.ts";
import { randomBody, randomFrames } from "./random_bytes.ts";

const PATH = "/demo.v1.Greeter/SayHello";

Deno.test("randomBody() and randomFrames() repeat with their seed", () => {
  const make = (seed: number) => {
    const random = seededRandom(seed);
    return [randomBody(random), randomFrames(random, PATH)];
  };
  assert.deepEqual(make(1), make(1));
  assert.notDeepEqual(make(1), make(2));
});

Deno.test("randomBody() never asks for work", () => {
  const random = seededRandom(1);
  const bodies = Array.from({ length: 1000 }, () => randomBody(random));
  // A tag is a field's number and three bits; long tags have the eighth, too.
  const isWork = (byte: number) => (byte & 0x78) === 0x10;
  assert.ok(!bodies.some((body) => body.some(isWork)));
  assert.ok(bodies.some((body) => body.length > 32));
});
