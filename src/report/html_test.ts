import assert from "node:assert/strict";
import { call, history } from "../experiment/_history.ts";
import type { Verdict } from "../experiment/experiment.ts";
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
  assert.doesNotMatch(page, /<script/);
});

const HOSTILE = '</script><b>"';

/** A page of one experiment, its runs with one claim each. */
function pageOf(run: Verdict, control: Verdict, breaks = ["lost"]): string {
  const given = history({
    calls: [
      call({ server: HOSTILE }),
      call({ status: HOSTILE }),
      call({ status: HOSTILE, failedAsMeant: true }),
    ],
    events: [{ label: HOSTILE, startMs: 300, endMs: 900 }],
  });
  const runOf = (verdict: Verdict) => ({
    history: given,
    findings: [{ id: "lost", text: HOSTILE, verdict, measured: HOSTILE }],
    invariants: [],
  });
  return reportHtml({
    ...MODEL,
    experiments: [experimentModel({
      experiment: {
        ...EXPERIMENT,
        question: HOSTILE,
        control: { about: HOSTILE, breaks },
      },
      promise: runOf(run),
      controls: [runOf(control)],
      verdict: run,
      reasons: [HOSTILE],
    })],
  });
}

Deno.test("reportHtml() keeps every name of a record as text", () => {
  const page = pageOf("broken", "broken");
  assert.doesNotMatch(page, /<b>"|<script|<\/script/);
  assert.ok(page.split("&lt;/script&gt;&lt;b&gt;&quot;").length > 10);
});

Deno.test("reportHtml() lists what was replaced in somebody's own file", () => {
  const experiments = [experimentModel({
    experiment: EXPERIMENT,
    promise: { history: history(), findings: [], invariants: [] },
    controls: [],
    file: `${HOSTILE}.yaml`,
    verdict: "held",
    reasons: [],
  })];
  const info = { ...MODEL.info, replaced: [`cluster "a": ${HOSTILE}`] };
  const page = reportHtml({ info, experiments });
  assert.match(page, /measured with &lt;\/script&gt;&lt;b&gt;&quot;\.yaml\./);
  assert.match(page, /<li>cluster &quot;a&quot;: &lt;\/script&gt;/);
  assert.doesNotMatch(reportHtml(MODEL), /What was replaced/);
});

Deno.test("reportHtml() has each chart of both runs, and its numbers", () => {
  const page = pageOf("held", "broken");
  assert.match(page, /3 calls, 1 failed as meant, 1 lost; latency in ms: p50/);
  const titles = [...page.matchAll(/<figcaption>([^<]*)</g)].map(([, t]) => t);
  assert.deepEqual(titles, [
    "Answers a second, by server",
    "Control: answers a second, by server",
    "Failed calls a second, by status",
    "Control: failed calls a second, by status",
    "Latency of answered calls, ms",
    "Control: latency of answered calls, ms",
  ]);
  const tables = page.match(/<summary>Table: /g)?.length;
  assert.equal(tables, titles.length / 2);
  // Two calls of an interval of half a second, as a rate.
  assert.match(page, /<tr><td>0\.25<\/td><td>2<\/td><td>2<\/td><\/tr>/);
});

Deno.test("reportHtml() folds settings and the machine, which come last", () => {
  const page = pageOf("held", "broken");
  assert.doesNotMatch(page, /<details open/);
  const order = [
    "<h1>1 of 1 promises held</h1>",
    'class="lede"',
    "<figure class",
    "breaks, as it must",
    "<details><summary>Settings, counts and invariants",
    "<details><summary>The machine, versions",
  ].map((words) => page.lastIndexOf(words));
  assert.ok(!order.includes(-1), order.join());
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
});

Deno.test("reportHtml() has a row for each claim of a further control", () => {
  const of = (verdict: Verdict) => ({
    history: history(),
    findings: [{ id: "lost", text: "none is lost", verdict, measured: "x" }],
    invariants: [],
  });
  const pageWith = (controls: readonly Verdict[]) =>
    reportHtml({
      ...MODEL,
      experiments: [experimentModel({
        experiment: {
          ...EXPERIMENT,
          furtherControls: [{ about: "no check", breaks: ["lost"] }],
        },
        promise: of("held"),
        controls: controls.map(of),
        verdict: "broken",
        reasons: [],
      })],
    });
  const rowOf = (page: string) => /<td[^>]*>no check<.*?<\/tr>/.exec(page)?.[0];
  assert.match(rowOf(pageWith(["broken", "broken"])) ?? "", /as it must/);
  assert.match(rowOf(pageWith(["broken", "held"])) ?? "", /does not break/);
  assert.match(rowOf(pageWith(["broken"])) ?? "", /not run/);
  // The first table sums up all controls.
  const summary = (page: string) => page.split('class="lede"')[0] ?? "";
  assert.match(summary(pageWith(["broken", "held"])), /does not break/);
  assert.match(summary(pageWith(["broken", "broken"])), /as it must/);
});

Deno.test("reportHtml() shows in red only what is wrong", () => {
  const isRed = /class="(verdict (broken|failed)|faults)"/;
  // The fixture's ledgers are empty, and in red where they are folded.
  const shown = (page: string) => page.split("<summary>Settings")[0] ?? "";
  assert.doesNotMatch(shown(pageOf("held", "broken")), isRed);
  assert.doesNotMatch(shown(pageOf("held", "held", [])), isRed);
  assert.match(pageOf("broken", "held"), /failed">does not break</);
  assert.match(pageOf("broken", "broken"), /class="verdict broken">broken</);
  assert.match(pageOf("held", "unknown"), /class="verdict unknown">unknown</);
});
