import assert from "node:assert/strict";
import { colourOf } from "../page/web/colours.js";
import { LOOK, serverColour } from "./look.ts";

Deno.test("serverColour() is the colour of the live page, and the look has it", () => {
  for (const name of ["server-1", "server-10", "s-11", "server-0", "?", ""]) {
    const number = serverColour(name);
    assert.equal(String(number), colourOf(name), name);
    assert.equal(LOOK.match(new RegExp(`--server-${number}:`, "g"))?.length, 3);
  }
});

Deno.test("LOOK has every colour that it uses, on light and on dark paper", () => {
  for (const [, name] of LOOK.matchAll(/var\(--([a-z0-9-]+)\)/g)) {
    const found = LOOK.match(new RegExp(`--${name}:`, "g"))?.length ?? 0;
    // Once for light; for dark, once as chosen and once as the system's.
    assert.ok(found === 3 || name === "colour", `${name}: ${found}`);
  }
  assert.match(LOOK, /@media screen and \(prefers-color-scheme: dark\)/);
});
