import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { findToolOfRow } from "../tools.ts";
import { fakePip, fakeTool, Place, PLATFORM, ROW } from "./_fakes.ts";

Deno.test("findToolOfRow() fetches once and then uses its folder", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip(fakeTool("1.2.3")));
  const path = join(place.tools, "fake-1.2.3", "fake");
  const first = await findToolOfRow(ROW, place.options());
  assert.deepEqual(first, { path, version: "1.2.3", origin: "fetched" });
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
  await Deno.remove(join(place.bin, "pip"));
  const second = await findToolOfRow(ROW, place.options());
  assert.deepEqual(second, { path, version: "1.2.3", origin: "folder" });
  assert.deepEqual(place.progress, [
    "Fetching Fake 1.2.3 with pip (about 7 MB) ...",
  ]);
});

for (
  const [what, text, mode] of [
    ["is empty", "", 0o755],
    ["is not executable", fakeTool("1.2.3"), 0o644],
    ["is of another processor", "\x7fELF\x02\x01\x01\0", 0o755],
    ["misses its interpreter", "#!/no/sh\n", 0o755],
    ["crashes", "#!/bin/sh\nkill -SEGV $$\n", 0o755],
    ["is another version", fakeTool("9.9.9"), 0o755],
    ["is a folder", undefined, 0o755],
  ] as const
) {
  Deno.test(`findToolOfRow() replaces a fetched tool that ${what}`, async () => {
    await using place = await Place.make();
    await place.linkCommands();
    place.write("pip", fakePip(fakeTool("1.2.3")));
    const path = join(place.tools, "fake-1.2.3", "fake");
    if (text === undefined) {
      await Deno.mkdir(join(path, "deeper"), { recursive: true });
    } else {
      place.write("../tools/fake-1.2.3/fake", text);
      await Deno.chmod(path, mode);
    }
    const tool = await findToolOfRow(ROW, place.options());
    assert.deepEqual(tool, { path, version: "1.2.3", origin: "fetched" });
    assert.equal(await Deno.readTextFile(path), fakeTool("1.2.3"));
    assert.equal(
      place.progress[0],
      `Replacing "${path}": it does not run as Fake 1.2.3`,
    );
  });
}

Deno.test("findToolOfRow() passes over a python and a pip that do not run", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("python3", "");
  place.write("pip3", "#!/no/sh\n");
  place.write("pip", fakePip(fakeTool("1.2.3")));
  const tool = await findToolOfRow(ROW, place.options());
  assert.equal(tool.origin, "fetched");
});

Deno.test("findToolOfRow() refuses and removes a wrong digest", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip(`${fakeTool("1.2.3")}# changed\n`));
  await assert.rejects(findToolOfRow(ROW, place.options()), {
    name: "Failure",
    kind: "environment",
    message: /its digest is sha256:[0-9a-f]{64}, not the pinned sha256:/,
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() refuses a tool of another version", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip(fakeTool("9.9.9")));
  const { digests: _, ...row } = ROW;
  await assert.rejects(findToolOfRow(row, place.options()), {
    message: /the fetched file does not run on this machine/,
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() says what pip said when pip fails", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip("", "echo 'ERROR: no route' >&2; exit 1"));
  await assert.rejects(findToolOfRow(ROW, place.options()), {
    message: "Cannot fetch Fake 1.2.3: pip failed (ERROR: no route); check " +
      "the network, or put Fake 1.2.3 on PATH, or set FAKE to its path",
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() says when pip's index gives no answer", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  // pip says so, too, of an index that refuses it or stays silent.
  place.write(
    "pip",
    fakePip(fakeTool("1.2.3")).replace(
      '"ERROR: (from versions: 1.2.3)"',
      '"ERROR: (from versions: none)" >&2',
    ),
  );
  await assert.rejects(findToolOfRow(ROW, place.options()), {
    kind: "environment",
    message:
      "Cannot fetch Fake 1.2.3: pip gets no answer; check the network, " +
      "or put Fake 1.2.3 on PATH, or set FAKE to its path",
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() says how to get pip when it is not there", async () => {
  await using place = await Place.make();
  await assert.rejects(findToolOfRow(ROW, place.options()), {
    kind: "environment",
    message: "Cannot fetch Fake 1.2.3: pip is not installed; install it " +
      "(Debian: python3-pip), or put Fake 1.2.3 on PATH, or set FAKE to its path",
  });
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() says which platforms have a package", async () => {
  await using place = await Place.make();
  const row = { ...ROW, digests: { "plan9-mips": "sha256:0" } };
  await assert.rejects(findToolOfRow(row, place.options()), {
    message: "Cannot fetch Fake 1.2.3: it exists for plan9-mips only, and " +
      `this is ${PLATFORM}; put Fake 1.2.3 on PATH, or set FAKE to its path`,
  });
});

Deno.test("findToolOfRow() tells how long a fetch goes on", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  const seen = join(place.folder, "seen");
  place.write(
    "pip",
    fakePip(
      fakeTool("1.2.3"),
      `until [ -e "${seen}" ]; do sleep 0.01; done`,
    ),
  );
  // The fake pip ends only after a line about the time was told.
  await findToolOfRow(ROW, {
    ...place.options(),
    progressIntervalMs: 10,
    onProgress: (line) => {
      if (line === "Fetching Fake 1.2.3 ... 0 s") {
        Deno.writeTextFileSync(seen, "");
      }
    },
  });
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
});

Deno.test("findToolOfRow() may be called twice at once", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  // Each of two waits until the other has come, too.
  place.write(
    "pip",
    fakePip(
      fakeTool("1.2.3"),
      `mkdir "${place.folder}/one" 2>&- || mkdir "${place.folder}/two"
until [ -e "${place.folder}/two" ]; do sleep 0.01; done`,
    ),
  );
  const both = await Promise.all([
    findToolOfRow(ROW, place.options()),
    findToolOfRow(ROW, place.options()),
  ]);
  assert.deepEqual(both.map((tool) => tool.origin), ["fetched", "fetched"]);
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
});

Deno.test("findToolOfRow() leaves nothing when it is aborted", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  const started = join(place.folder, "started");
  const outlived = join(place.folder, "outlived");
  // What pip starts itself must end with it.
  place.write(
    "pip",
    fakePip("", `: > "${started}"; (sleep 3; : > "${outlived}"); exit 1`),
  );
  const controller = new AbortController();
  const finding = findToolOfRow(ROW, {
    ...place.options(),
    signal: controller.signal,
    progressIntervalMs: 10,
    onProgress: () => {
      if (existsSync(started)) controller.abort("SIGINT");
    },
  });
  await assert.rejects(finding, {
    name: "Failure",
    message: `interrupted while "${join(place.bin, "pip")}" ran`,
  });
  assert.equal(existsSync(outlived), false);
  assert.deepEqual(await place.toolNames(), []);
});

Deno.test("findToolOfRow() removes what a killed process has left", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip(fakeTool("1.2.3")));
  const ended = await new Deno.Command("true").spawn();
  await ended.status;
  const names = [
    `tmp-fake-${ended.pid}-a1`,
    `tmp-deno-${ended.pid}`,
    `tmp-other-${Deno.pid}-b2`,
  ];
  for (const name of names) {
    await Deno.mkdir(join(place.tools, name), { recursive: true });
  }
  await findToolOfRow(ROW, place.options());
  assert.deepEqual(await place.toolNames(), [
    "fake-1.2.3",
    `tmp-other-${Deno.pid}-b2`,
  ]);
});

Deno.test("findToolOfRow() says that its folder cannot be written", async () => {
  await using place = await Place.make();
  const file = place.write("file", "");
  await assert.rejects(
    findToolOfRow(ROW, { ...place.options(), folder: join(file, "tools") }),
    { message: /^Cannot write to ".*\/file\/tools", where Fake would be/ },
  );
});

Deno.test("findToolOfRow() says that it cannot put a tool in its place", async () => {
  await using place = await Place.make();
  await place.linkCommands();
  place.write("pip", fakePip(fakeTool("1.2.3")));
  const file = place.write("../tools/fake-1.2.3", "");
  await assert.rejects(findToolOfRow(ROW, place.options()), {
    name: "Failure",
    message: `Cannot write to "${file}", where Fake would be put; ` +
      "make it writable, or put Fake 1.2.3 on PATH, or set FAKE to its path",
  });
  assert.deepEqual(await place.toolNames(), ["fake-1.2.3"]);
});
