/** `denow` as people run it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  answerOf,
  FAKE_DENO,
  fakeDeno,
  fetching,
  Place,
  resultOf,
  VERSION,
} from "./_denow_place.ts";

Deno.test("denow uses the Deno that DENO names", async () => {
  await using place = await Place.make();
  const path = await place.write("other/my-deno", FAKE_DENO);
  assert.deepEqual(
    await place.run(["lint", "a b"], { env: { DENO: path } }),
    answerOf(path, place),
  );
  assert.deepEqual(place.toolNames(), []);
});

for (
  const [why, text, said] of [
    ["has another version", fakeDeno("9.9.9"), ", a Deno 9.9.9"],
    ["does not run", "#!/no/sh\n", ", which does not run"],
    ["is not there", undefined, ", which is not an executable file"],
  ] as const
) {
  Deno.test(`denow refuses a DENO that ${why}`, async () => {
    await using place = await Place.make();
    await place.writeNpm();
    const path = join(place.bin, "other", "deno");
    if (text !== undefined) await place.write("other/deno", text);
    assert.deepEqual(await place.run(["lint"], { env: { DENO: path } }), {
      code: 3,
      stdout: "",
      stderr: `denow: DENO is "${path}"${said}; set it to a Deno ${VERSION}, ` +
        "or unset it\n",
    });
  });
}

Deno.test("denow uses a Deno of the pinned version on PATH", async () => {
  await using place = await Place.make();
  const path = await place.write("deno", FAKE_DENO);
  assert.deepEqual(
    await place.run(["lint", "a b"]),
    answerOf(path, place),
  );
});

Deno.test("denow passes over another version on PATH and fetches with npm, once", async () => {
  await using place = await Place.make();
  await place.write("deno", fakeDeno("9.9.9"));
  await place.writeNpm();
  const path = join(place.tools, `deno-${VERSION}`, "deno");
  assert.deepEqual(await place.run(["lint", "a b"]), {
    ...answerOf(path, place),
    stderr: `denow: ${fetching("npm")}\n`,
  });
  assert.deepEqual(place.toolNames(), [`deno-${VERSION}`]);
  await Deno.remove(join(place.bin, "npm"));
  assert.deepEqual(
    await place.run(["lint", "a b"]),
    answerOf(path, place),
  );
});

Deno.test("denow works from another folder, and by a symlink", async () => {
  await using place = await Place.make();
  await place.writeNpm();
  await place.run(["--version"]);
  const path = join(place.tools, `deno-${VERSION}`, "deno");
  const cwd = join(place.project, "deeper");
  await Deno.mkdir(cwd);
  await Deno.symlink("../a project/denow", join(place.bin, "link"));
  assert.deepEqual(
    await place.run(["lint", "a b"], { cwd, path: "../denow" }),
    answerOf(path, place, cwd),
  );
  assert.deepEqual(
    await place.run(["lint", "a b"], { cwd, path: join(place.bin, "link") }),
    answerOf(path, place, cwd),
  );
});

Deno.test("denow fetches with pip when there is no npm", async () => {
  await using place = await Place.make();
  await place.writePip();
  const { code, stderr } = await place.run(["lint"]);
  assert.equal(code, 7);
  assert.equal(
    stderr,
    `denow: npm is not installed; ${fetching("pip")}\n`,
  );
  assert.deepEqual(place.toolNames(), [`deno-${VERSION}`]);
});

Deno.test("denow fetches with pip when npm fails, and shows why it failed", async () => {
  await using place = await Place.make();
  await place.writeNpm(
    '[ "$1" = view ] || { echo "npm error no route"; exit 1; }',
  );
  await place.writePip();
  const { code, stderr } = await place.run(["lint"]);
  assert.equal(code, 7);
  assert.deepEqual(stderr.trimEnd().split("\n"), [
    `denow: ${fetching("npm")}`,
    "  npm error no route",
    `denow: npm failed; ${fetching("pip")}`,
  ]);
});

Deno.test("denow fetches Deno's own download when nothing else is there", async () => {
  await using place = await Place.make();
  await place.write(
    "curl",
    `#!/bin/sh
for word; do [ "$was" = -o ] && file=$word; was=$word; done
[ "$word" = "https://dl.deno.land/release/v${VERSION}/deno-x86_64-unknown-linux-gnu.zip" ] &&
  echo a zip > "$file"
`,
  );
  await place.write(
    "unzip",
    `#!/bin/sh
[ "$(cat "$2")" = "a zip" ] && cat "${place.folder}/payload/package/deno" > "$4/deno"
`,
  );
  const { code, stdout } = await place.run(["lint"]);
  assert.equal(code, 7);
  assert.match(stdout, /^<.*\/\.tools\/deno-[0-9.]+\/deno><lint> /);
  assert.deepEqual(place.toolNames(), [`deno-${VERSION}`]);
});

Deno.test("denow refuses and removes a file with a wrong digest", async () => {
  await using place = await Place.make();
  await place.write("../payload/package/deno", `${FAKE_DENO}# changed\n`);
  await place.writeNpm();
  await place.writePip();
  const { code, stdout, stderr } = await place.run(["lint"]);
  assert.equal(code, 3);
  assert.equal(stdout, "");
  assert.match(
    stderr,
    /\(npm gave a file with the wrong sha256 digest; pip gave a file with the wrong sha256 digest; Deno's own download needs curl or wget\)/,
  );
  assert.deepEqual(place.toolNames(), []);
});

Deno.test("denow passes over a client that succeeds and brings nothing", async () => {
  await using place = await Place.make();
  await place.write("pip3", ""); // A shell runs an empty file as a script.
  const { code, stderr } = await place.run(["lint"]);
  assert.equal(code, 3);
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2, stderr);
  assert.match(lines[1] ?? "", /\(npm is not installed; pip brought no Deno; /);
});

Deno.test("denow says in one sentence what was tried when nothing is there", async () => {
  await using place = await Place.make();
  assert.deepEqual(await place.run(["lint"]), {
    code: 3,
    stdout: "",
    stderr: `denow: Cannot fetch Deno ${VERSION} (npm is not installed; pip ` +
      "is not installed; Deno's own download needs curl or wget); check the " +
      "network, install npm (Debian: npm) or pip (Debian: python3-pip), or " +
      `install Deno ${VERSION} yourself and put it on PATH or in DENO\n`,
  });
  assert.deepEqual(place.toolNames(), []);
});

for (
  const [what, name, text] of [
    ["a Linux with musl", "ldd", "#!/bin/sh\necho 'musl libc' >&2; exit 1\n"],
    ['"FreeBSD"', "uname", "#!/bin/sh\necho FreeBSD\n"],
    [
      '"riscv64"',
      "uname",
      '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo riscv64\n',
    ],
  ] as const
) {
  Deno.test(`denow says that it cannot fetch for ${what}`, async () => {
    await using place = await Place.make();
    await place.writeNpm();
    await place.write(name, text);
    const { code, stderr } = await place.run(["lint"]);
    assert.equal(code, 3);
    assert.match(
      stderr,
      new RegExp(
        `^denow: Cannot fetch Deno for ${what}, .*; install Deno .*\n$`,
      ),
    );
  });
}

Deno.test("denow may be started twice at once", async () => {
  await using place = await Place.make();
  // Each of the two fetches waits until the other one has come, too.
  await place.writeNpm(
    `mkdir "${place.folder}/one" 2>/dev/null || mkdir "${place.folder}/two"
until [ -e "${place.folder}/two" ]; do sleep 0.01; done`,
  );
  const both = await Promise.all([place.run(["lint"]), place.run(["lint"])]);
  assert.deepEqual(both.map(({ code }) => code), [7, 7]);
  assert.deepEqual(place.toolNames(), [`deno-${VERSION}`]);
});

for (
  const [signal, expected] of [["SIGTERM", 143], ["SIGINT", 130]] as const
) {
  Deno.test(`denow leaves nothing when ${signal} interrupts a fetch`, async () => {
    await using place = await Place.make();
    const pipe = join(place.folder, "pipe");
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const outlived = join(place.folder, "outlived");
    await place.writeNpm(
      `exec 3> "${pipe}"; echo started >&3
for i in $(seq 200); do sleep 0.01; done; : > "${outlived}"`,
    );
    const child = place.start(["lint"]);
    const reader = (await Deno.open(pipe)).readable.getReader();
    await reader.read();
    assert.deepEqual(place.toolNames(), [`tmp-deno-${child.pid}`]);
    child.kill(signal);
    const { code } = await resultOf(child);
    assert.equal(code, expected);
    assert.deepEqual(place.toolNames(), []);
    // The fake npm holds the pipe's other end until it ends.
    assert.equal((await reader.read()).done, true);
    assert.equal(existsSync(outlived), false);
  });
}

Deno.test("denow removes what a killed denow has left", async () => {
  await using place = await Place.make();
  await place.writeNpm();
  const ended = await new Deno.Command("true").spawn();
  await ended.status;
  await Deno.mkdir(join(place.tools, `tmp-deno-${ended.pid}`), {
    recursive: true,
  });
  await Deno.mkdir(join(place.tools, `tmp-deno-${Deno.pid}`));
  await place.run(["lint"]);
  assert.deepEqual(place.toolNames(), [
    `deno-${VERSION}`,
    `tmp-deno-${Deno.pid}`,
  ]);
});
