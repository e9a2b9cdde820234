/* Draws every chart of the page with uPlot, from the numbers in its box. */

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

/**
 * Draws the events over a chart, each as a numbered line and a band for its
 * duration. The list of events above the charts explains the numbers.
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
      // Numbers are staggered, so that close events do not overlap.
      const line = (index % 3 + 1) * 12 * devicePixelRatio;
      ctx.fillText(index + 1, from + 3 * devicePixelRatio, top + line);
    });
    ctx.restore();
  };
  return { hooks: { draw } };
}

function drawChart(box, { unit, seconds, lines, marks, ...style }) {
  const names = Object.keys(lines);
  const { firstColour = 0, isStepped = false } = style;
  // A canvas does not see style sheets.
  const stroke = getComputedStyle(box).color;
  const grid = { stroke: "#8884" };
  const axis = { stroke, grid, ticks: grid };
  const series = names.map((name, index) => ({
    label: name,
    stroke: COLOURS[(index + firstColour) % COLOURS.length],
    width: 1.5,
    points: { show: seconds.length < 3 },
    ...(isStepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
  }));
  const settings = {
    width: box.clientWidth || 500,
    height: CHART_HEIGHT,
    scales: {
      x: { time: false },
      y: { range: (_, __, max) => [0, max || 1] },
    },
    axes: [
      { ...axis, label: "seconds", labelSize: 20 },
      { ...axis, label: unit, size: 60 },
    ],
    series: [{ label: "s" }, ...series],
    plugins: [marksPlugin(marks)],
  };
  new uPlot(settings, [seconds, ...names.map((name) => lines[name])], box);
}

for (const numbers of document.querySelectorAll(".chart > script")) {
  drawChart(numbers.parentElement, JSON.parse(numbers.textContent));
}
