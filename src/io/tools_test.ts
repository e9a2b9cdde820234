import assert from "node:assert/strict";
import { join } from "node:path";
import { findToolOfRow } from "./tools.ts";
import { fakeTool, Place, ROW } from "./tools/_fakes.ts";
import { TOOLS } from "./tools/table.ts";

Deno.test("findToolOfRow() uses the variable's executable", async () => {
  await using place = await Place.make();
  const path = place.write("elsewhere/tool", fakeTool("1.2.3"));
  const tool = await findToolOfRow(ROW, place.options({ FAKE: path }));
  assert.deepEqual(tool, {
    path: await Deno.realPath(path),
    version: "1.2.3",
    origin: "variable",
  });
});

const REMEDY = "set it to an executable Fake 1.2.3, or unset it to have one " +
  "found";

for (
  const [why, text, said] of [
    ["another version", fakeTool("1.2.4"), "which is Fake 1.2.4"],
    ["a failing program", "#!/bin/sh\nexit 1\n", "which does not run as Fake"],
    ["not a program", "\x01\x02\x7f", "which does not run as Fake"],
    ["a missing interpreter", "#!/no/sh\n", "which does not run as Fake"],
  ] as const
) {
  Deno.test(`findToolOfRow() refuses a variable that names ${why}`, async () => {
    await using place = await Place.make();
    const path = place.write("elsewhere/tool", text);
    await assert.rejects(findToolOfRow(ROW, place.options({ FAKE: path })), {
      name: "Failure",
      kind: "environment",
      message: `FAKE is "${path}", ${said}; ${REMEDY}`,
    });
  });
}

Deno.test("findToolOfRow() refuses a variable that names no file", async () => {
  await using place = await Place.make();
  await assert.rejects(
    findToolOfRow(ROW, place.options({ FAKE: place.folder })),
    {
      name: "Failure",
      message:
        `FAKE is "${place.folder}", which is not an executable file; ${REMEDY}`,
    },
  );
});

Deno.test("findToolOfRow() passes over another version on PATH", async () => {
  await using place = await Place.make();
  const old = place.write("old/fake", fakeTool("1.0.0"));
  const right = place.write("right/fake", fakeTool("1.2.3"));
  const tool = await findToolOfRow(
    ROW,
    place.options({ PATH: `${join(old, "..")}:${join(right, "..")}` }),
  );
  assert.deepEqual(tool, { path: right, version: "1.2.3", origin: "path" });
  assert.deepEqual(place.progress, [
    `Skipping "${old}": it is Fake 1.0.0, not 1.2.3`,
  ]);
});

Deno.test("findToolOfRow() takes another version that serves as well", async () => {
  await using place = await Place.make();
  const path = place.write("old/fake", fakeTool("1.0.0"));
  const row = { ...ROW, accepts: (version: string) => version === "1.0.0" };
  const own = await findToolOfRow(row, place.options({ FAKE: path }));
  assert.deepEqual(own, { path, version: "1.0.0", origin: "variable" });
  const PATH = join(path, "..");
  const found = await findToolOfRow(row, place.options({ PATH }));
  assert.deepEqual(found, { path, version: "1.0.0", origin: "path" });
  assert.deepEqual(place.progress, []);
});

Deno.test("kubectl may be any from 1.32 on", () => {
  const { accepts } = TOOLS.kubectl;
  const versions = ["1.31.9", "1.32.0", "1.32.4-dispatcher", "1.41.0", "2.0.0"];
  assert.deepEqual(
    versions.map((version) => accepts?.(version)),
    [false, true, true, true, false],
  );
});

Deno.test("findToolOfRow() passes over what does not run on PATH", async () => {
  await using place = await Place.make();
  const broken = [
    place.write("empty/fake", ""),
    place.write("alien/fake", "\x7fELF\x02\x01\x01\0"),
    place.write("crash/fake", "#!/bin/sh\nkill -SEGV $$\n"),
  ];
  const right = place.write("right/fake", fakeTool("1.2.3"));
  const PATH = [...broken, right].map((path) => join(path, "..")).join(":");
  const tool = await findToolOfRow(ROW, place.options({ PATH }));
  assert.deepEqual(tool, { path: right, version: "1.2.3", origin: "path" });
  assert.deepEqual(
    place.progress,
    broken.map((path) => `Skipping "${path}": it does not report its version`),
  );
});

for (
  const [row, printed, version] of [
    [
      TOOLS.envoy,
      "\n/x/envoy  version: 9e5580933739775e8/1.40.0/Clean/RELEASE/BoringSSL\n",
      "1.40.0",
    ],
    [TOOLS.k6, "k6 v1.8.1 (go1.26.8, linux/amd64)\n", "1.8.1"],
    [TOOLS.grpcurl, "grpcurl 1.9.4\n", "1.9.4"],
  ] as const
) {
  Deno.test(`TOOLS.${row.name} understands what ${row.title} prints`, () => {
    assert.equal(row.versionPattern.exec(printed.trim())?.[1], version);
  });
}
