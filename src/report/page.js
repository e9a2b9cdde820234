/* Draws the report; the model is in the page, as is uPlot. */

const COLOURS = [
  "#0969da",
  "#1a7f37",
  "#bc4c00",
  "#8250df",
  "#bf3989",
  "#1b7c83",
  "#57606a",
  "#cf222e",
];

const CHART_HEIGHT = 190;

/** An element with its children; text stays text. */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function table(head, rows) {
  const cell = (text) => {
    if (text instanceof Node) return element("td", {}, text);
    const isNumber = typeof text === "number";
    return element("td", isNumber ? { class: "number" } : {}, String(text));
  };
  return element(
    "table",
    {},
    element("tr", {}, ...head.map((text) => element("th", {}, text))),
    ...rows.map((row) => element("tr", {}, ...row.map(cell))),
  );
}

function pairs(record) {
  const rows = Object.entries(record)
    .map(([key, value]) =>
      element(
        "tr",
        {},
        element("th", {}, key),
        element("td", {}, String(value)),
      )
    );
  return element("table", {}, ...rows);
}

function verdict(word) {
  return element("span", { class: `verdict ${word}` }, word);
}

function rounded(value) {
  return value === null ? "-" : Math.round(value * 10) / 10;
}

/**
 * Draws the events over a chart: a line with its number each, and a band while
 * it lasts. The list of events above the charts says what the numbers are.
 */
function marksPlugin(marks) {
  const draw = (plot) => {
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    ctx.save();
    ctx.textAlign = "left";
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    marks.forEach(({ fromS, toS }, index) => {
      const from = plot.valToPos(fromS, "x", true);
      const to = Math.min(plot.valToPos(toS, "x", true), left + width);
      ctx.fillStyle = "rgba(154, 103, 0, 0.08)";
      ctx.fillRect(from, top, Math.max(0, to - from), height);
      ctx.fillStyle = "#9a6700";
      ctx.fillRect(from, top, devicePixelRatio, height);
      // Events close to each other have their numbers below each other.
      const line = (index % 3 + 1) * 12 * devicePixelRatio;
      ctx.fillText(index + 1, from + 3 * devicePixelRatio, top + line);
    });
    ctx.restore();
  };
  return { hooks: { draw } };
}

function chart(title, unit, charts, lines, options = {}) {
  const names = Object.keys(lines);
  const box = element("div", { class: "chart" }, element("h4", {}, title));
  if (names.length === 0) {
    box.append(element("p", {}, "None."));
    return { box, draw: () => {} };
  }
  const draw = () => {
    const series = names.map((name, index) => ({
      label: name,
      stroke: COLOURS[(index + (options.colour ?? 0)) % COLOURS.length],
      width: 1.5,
      points: { show: charts.seconds.length < 3 },
      ...(options.isStepped
        ? { paths: uPlot.paths.stepped({ align: 1 }) }
        : {}),
    }));
    const settings = {
      width: box.clientWidth || 500,
      height: CHART_HEIGHT,
      scales: {
        x: { time: false },
        y: { range: (_, __, max) => [0, max || 1] },
      },
      axes: [{ label: "seconds", labelSize: 20 }, { label: unit, size: 60 }],
      series: [{ label: "s" }, ...series],
      plugins: [marksPlugin(charts.marks)],
    };
    const data = [charts.seconds, ...names.map((name) => lines[name])];
    new uPlot(settings, data, box);
  };
  return { box, draw };
}

function eventList(marks) {
  const words = marks.map(({ label, fromS, toS }) => {
    const end = toS - fromS < 0.05 ? "" : ` to ${toS.toFixed(1)}`;
    return element("li", {}, `${label}, at ${fromS.toFixed(1)}${end} s`);
  });
  return element("ol", { class: "events" }, ...words);
}

function runSection(run, control) {
  const { charts } = run;
  const made = [
    chart("Answered calls by server", "calls/s", charts, charts.perServer),
    chart("Failed calls by status", "calls/s", charts, charts.errors, {
      colour: 7,
    }),
    chart("Latency of answered calls", "ms", charts, charts.latencyMs),
    chart("Servers, as Envoy knows them", "servers", charts, charts.servers, {
      isStepped: true,
    }),
  ];
  const title = run.kind === "run" ? "Run" : `Control: ${control.about}`;
  const rows = run.findings.map((finding) => [
    finding.text,
    verdict(finding.verdict),
    finding.measured,
    run.kind === "control" && control.breaks.includes(finding.id)
      ? "broken"
      : run.kind === "run"
      ? "held"
      : "",
  ]);
  const section = element(
    "section",
    {},
    element("h3", {}, title),
    element(
      "p",
      {},
      `${run.calls} calls, ${run.failedAsMeant} failed as meant, ` +
        `${run.lost} lost; latency in ms: ` +
        Object.entries(run.latencyMs)
          .map(([name, value]) => `${name} ${rounded(value)}`).join(", ") +
        (run.isInterrupted ? "; interrupted" : ""),
    ),
    table(["claim", "verdict", "measured", "should be"], rows),
    eventList(charts.marks),
    element("div", { class: "charts" }, ...made.map(({ box }) => box)),
    element(
      "details",
      {},
      element("summary", {}, "Settings, ledgers and the invariants"),
      pairs(run.settings),
      table(
        ["number of", "counted", "at least", "at most", ""],
        run.comparisons.map((line) => [
          line.what,
          line.count,
          line.min,
          line.max,
          verdict(line.agrees ? "held" : "broken"),
        ]),
      ),
      table(
        ["invariant", "verdict", "measured"],
        run.invariants.map((finding) => [
          finding.text,
          verdict(finding.verdict),
          finding.measured,
        ]),
      ),
      run.measures.length === 0 ? "" : table(
        ["measured by events", "value", "after s"],
        run.measures.map(({ name, value, atMs }) => [
          name,
          rounded(value),
          rounded(atMs / 1000),
        ]),
      ),
    ),
  );
  return { section, draw: () => made.forEach((one) => one.draw()) };
}

function experimentSection(experiment) {
  const runs = experiment.runs.map((run) =>
    runSection(run, experiment.control)
  );
  const section = element(
    "section",
    { id: experiment.name },
    element("h2", {}, `${experiment.name} `, verdict(experiment.verdict)),
    element("p", {}, experiment.question),
    ...experiment.limits.map(({ text, reason, reference }) =>
      element(
        "p",
        { class: "limit" },
        `Known limit: ${text}; ${reason} (${reference})`,
      )
    ),
    element(
      "ul",
      {},
      ...experiment.reasons.map((reason) => element("li", {}, reason)),
    ),
    ...runs.map((run) => run.section),
  );
  return { section, draw: () => runs.forEach((run) => run.draw()) };
}

function show({ info, experiments }) {
  const sections = experiments.map(experimentSection);
  const summary = experiments.map((experiment) => [
    element("a", { href: `#${experiment.name}` }, experiment.name),
    verdict(experiment.verdict),
    experiment.runs[0].calls,
    experiment.runs[0].failedAsMeant,
    experiment.runs[0].lost,
    experiment.runs[1]?.lost ?? "-",
    experiment.question,
  ]);
  document.getElementById("report").append(
    element("h1", {}, "Experiments"),
    element(
      "p",
      {},
      `${info.writtenAt}, ${info.stack} stack. To repeat: `,
      element("code", {}, info.command),
      info.isInterrupted ? " This invocation was interrupted." : "",
    ),
    pairs({ ...info.machine, ...info.versions, seed: info.seed }),
    table(
      [
        ...["experiment", "verdict", "calls", "failed as meant"],
        ...["lost", "lost in control", "question"],
      ],
      summary,
    ),
    ...sections.map(({ section }) => section),
  );
  sections.forEach(({ draw }) => draw());
}

show(JSON.parse(document.getElementById("model").textContent));
