import assert from "node:assert/strict";
import { call, history } from "../experiment/_history.ts";
import { reportHtml } from "./html.ts";
import { experimentModel, type ReportModel } from "./model.ts";

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

const EXPERIMENT = {
  name: "fixture",
  question: "Does it work?",
  setup: { servers: 1 },
  load: { ratePerS: 100, durationMs: 1000 },
  events: [],
  claims: [],
  control: { about: "no retries", breaks: ["lost"] },
};

Deno.test("reportHtml() needs nothing else and keeps text as text", () => {
  const page = reportHtml(MODEL);
  assert.doesNotMatch(page, /(src|href)="(https?:)?\//);
  assert.ok(page.includes("&lt;/script&gt;&lt;b&gt;$&amp; /* style */"));
  assert.doesNotMatch(page, /<b>/);
  assert.match(page, /uPlot/);
  assert.match(page, /\.verdict/);
});

Deno.test("reportHtml() has a chart's numbers in its box, and a row for each run", () => {
  const status = "</script><b>";
  const given = history({
    calls: [call(), call({ status }), call({ status, failedAsMeant: true })],
  });
  const run = { history: given, findings: [], invariants: [] };
  const page = reportHtml({
    ...MODEL,
    experiments: [experimentModel({
      experiment: EXPERIMENT,
      promise: run,
      control: run,
      verdict: "broken",
      reasons: ["<i>"],
    })],
  });
  assert.doesNotMatch(page, /<[bi]>/);
  assert.match(page, /3 calls, 1 failed as meant, 1 lost; latency in ms: p50/);
  assert.match(page, /Control: no retries/);
  const charts = [...page.matchAll(/json">([^<]*)<\/script><\/div>/g)]
    .map(([, numbers]) => JSON.parse(numbers ?? ""));
  assert.equal(charts.length, 8);
  assert.deepEqual(Object.keys(charts[1].lines), [
    `as meant: ${status}`,
    `lost: ${status}`,
  ]);
});
