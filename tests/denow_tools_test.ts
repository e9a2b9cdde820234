/** `denow` with a `.tools` that is broken, or another user's. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  answerOf,
  FAKE_DENO,
  fakeDeno,
  fetching,
  Place,
  VERSION,
} from "./_denow_place.ts";

for (
  const [what, text, mode] of [
    ["empty", "", 0o755],
    ["not executable", FAKE_DENO, 0o644],
    ["of another processor", "\x7fELF\x02\x01\x01\0", 0o755],
    ["one that crashes", "#!/bin/sh\nkill -SEGV $$\n", 0o755],
    ["of another version", fakeDeno("9.9.9"), 0o755],
    ["a folder", undefined, 0o755],
  ] as const
) {
  Deno.test(`denow replaces a Deno in .tools that is ${what}`, async () => {
    await using place = await Place.make();
    const path = join(place.tools, `deno-${VERSION}`, "deno");
    await Deno.mkdir(text === undefined ? path : join(path, ".."), {
      recursive: true,
    });
    if (text !== undefined) await Deno.writeTextFile(path, text, { mode });
    const why = `"${path}" does not run as Deno ${VERSION} here`;
    const { code, stdout, stderr } = await place.run(["lint"]);
    assert.deepEqual({ code, stdout }, { code: 3, stdout: "" });
    assert.ok(
      stderr.startsWith(
        `denow: Cannot fetch Deno ${VERSION} (${why}; npm is not installed; `,
      ),
      stderr,
    );
    await place.writeNpm();
    assert.deepEqual(await place.run(["lint", "a b"]), {
      ...answerOf(path, place),
      stderr: `denow: ${why}; ${fetching("npm")}\n`,
    });
    assert.deepEqual(
      await place.run(["lint", "a b"]),
      answerOf(path, place),
    );
  });
}

for (const command of ["mkdir", "mv"] as const) {
  Deno.test(`denow says in one sentence that ${command} may not write to .tools`, async () => {
    await using place = await Place.make();
    await place.writeNpm();
    const ended = await new Deno.Command("true").spawn();
    await ended.status;
    // As in a folder of another user's, who was killed while fetching.
    const left = `tmp-deno-${ended.pid}`;
    await Deno.mkdir(join(place.tools, left), { recursive: true });
    const refused = { mkdir: "*/tmp-deno-*", mv: "*/deno", rm: `*/${left}` };
    for (const name of [command, "rm"] as const) {
      await Deno.remove(join(place.bin, name));
      await place.write(
        name,
        `#!/bin/sh
case "$*" in ${refused[name]}) echo "Permission denied" >&2; exit 1 ;; esac
exec /bin/${name} "$@"
`,
      );
    }
    assert.deepEqual(await place.run(["lint"]), {
      code: 3,
      stdout: "",
      stderr: (command === "mv" ? `denow: ${fetching("npm")}\n` : "") +
        `denow: Cannot write to "${place.tools}"; make it writable ` +
        `for this user, or install Deno ${VERSION} yourself and put it on ` +
        "PATH or in DENO\n",
    });
    assert.ok(place.toolNames().includes(left));
  });
}
