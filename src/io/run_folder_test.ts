import assert from "node:assert/strict";
import {
  fillRunFolder,
  makeRunFolder,
  RECORD_VERSION,
  writeRun,
} from "./run_folder.ts";

const NOW = new Date("2026-11-24T03:15:00.250Z");

Deno.test("makeRunFolder() never gives the same folder twice", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const reports = `${dir}/reports`;
    const paths = await Promise.all(
      [1, 2, 3].map(() => makeRunFolder(reports, "load-constant-rate", NOW)),
    );
    const first = `${reports}/20261124-031500-load-constant-rate`;
    assert.deepEqual(paths.sort(), [first, `${first}-2`, `${first}-3`]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("makeRunFolder() fails in a sentence where it may not write", async () => {
  await assert.rejects(makeRunFolder("/dev/null/reports", "x", NOW), {
    name: "Failure",
    kind: "environment",
    message: /^Cannot make a folder for reports in "\/dev\/null\/reports": /,
  });
});

Deno.test("writeRun() writes record and page, and leads to the newest", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const kind = "load";
    const [first = "", second = ""] = await Array.fromAsync(
      ["<p>1", "<p>2"],
      (page) => writeRun(dir, "a", { kind, record: { x: page }, page }),
    );
    assert.equal(await Deno.readTextFile(first), "<p>1");
    assert.equal(await Deno.readTextFile(second), "<p>2");
    const folder = second.replace("/report.html", "");
    assert.deepEqual(
      JSON.parse(await Deno.readTextFile(`${folder}/record.json`)),
      { kind, version: RECORD_VERSION, x: "<p>2" },
    );
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
    assert.equal(names.length, 3, names.join());
    const latest = await Deno.readTextFile(`${dir}/latest.html`);
    assert.ok(latest.includes(`url=${second.slice(dir.length + 1)}"`), latest);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("fillRunFolder() fails in a sentence where there is no folder", async () => {
  await assert.rejects(
    fillRunFolder("/dev/null/a", { kind: "load", record: {}, page: "" }),
    {
      name: "Failure",
      message: /^Cannot write the report "\/dev\/null\/a\/report.html": /,
    },
  );
});
