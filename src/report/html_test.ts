import assert from "node:assert/strict";
import { reportHtml } from "./html.ts";
import type { ReportModel } from "./model.ts";

const MODEL: ReportModel = {
  info: {
    seed: 1,
    stack: "native",
    command: "</script><b>$& /* style */",
    machine: {},
    versions: {},
    writtenAt: "2026-01-01T00:00:00.000Z",
    isInterrupted: false,
  },
  experiments: [],
};

Deno.test("reportHtml() needs nothing else and keeps text as text", () => {
  const page = reportHtml(MODEL);
  assert.doesNotMatch(page, /(src|href)="(https?:)?\//);
  assert.equal([...page.matchAll(/<script/g)].length, 3);
  assert.equal([...page.matchAll(/<\/script>/g)].length, 3);
  const [, json] = /id="model">([^<]*)<\/script>/.exec(page) ?? [];
  assert.deepEqual(JSON.parse(json ?? ""), MODEL);
  assert.match(page, /uPlot/);
  assert.match(page, /\.verdict/);
});
