import assert from "node:assert/strict";
import { parseFlags } from "../core/flags.ts";
import { SERVER_FLAGS } from "./config.ts";

Deno.test("SERVER_FLAGS listens on 127.0.0.1:8080 unless told", () => {
  const { host, port, serverName } = parseFlags(SERVER_FLAGS, []).values;
  assert.deepEqual([host, port, serverName], ["127.0.0.1", 8080, ""]);
});

Deno.test("SERVER_FLAGS can all be given by the environment, as SERVER_…", () => {
  for (const row of Object.values(SERVER_FLAGS)) {
    const env = "env" in row ? row.env : "none, as it is a switch";
    assert.match(env, /^SERVER_[A-Z_]+$|^none/, row.name);
  }
});

for (
  const [name, why] of [
    ["server 1", "a space"],
    ["naïve", "a letter that is no header's"],
    ["a\r\nb", "a line break"],
    ["x".repeat(64), "64 letters"],
  ] as const
) {
  Deno.test(`SERVER_FLAGS refuses a name with ${why}`, () => {
    assert.throws(() => parseFlags(SERVER_FLAGS, ["--name", name]), {
      name: "Failure",
      message:
        /^--name must have 1 to 63 letters, digits, dots, dashes or underscores/,
    });
  });
}
