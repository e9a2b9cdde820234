/**
 * The look that all pages have: the live page, and those of the reports. It is
 * text in a program, as k6's scripts import it too, and k6 reads no style sheet.
 */

/** Each colour, on light and on dark paper. */
const COLOURS: Readonly<Record<string, readonly [string, string]>> = {
  paper: ["#fcfcfa", "#101418"],
  stage: ["#f3f3ef", "#181e24"],
  ink: ["#15181d", "#eef1f3"],
  quiet: ["#555c66", "#a9b2bb"],
  line: ["#d3d5d3", "#37414b"],
  edge: ["#8a9099", "#7c8894"],
  accent: ["#4338ca", "#a5a0ff"],
  "on-accent": ["#fff", "#14123a"],
  wrong: ["#c0232c", "#ff7a70"],
  "wrong-soft": ["#fbe9e7", "#3a1a1b"],
  "wrong-1": ["#c0232c", "#ff7a70"],
  "wrong-2": ["#7d0f18", "#c03a35"],
  "wrong-3": ["#e5736f", "#ffb3ab"],
  "wrong-4": ["#4f0b10", "#8c2522"],
  "wrong-5": ["#f0a8a1", "#ffd9d4"],
  p50: ["#15181d", "#eef1f3"],
  p90: ["#7c73e0", "#6f68c9"],
  p99: ["#4338ca", "#a5a0ff"],
};

/**
 * After Okabe and Ito. All have a contrast of 3 to the paper, and where hues
 * look alike to some, their lightness differs; the first three most.
 */
const SERVER_COLOURS: readonly (readonly [string, string])[] = [
  ["#0072b2", "#3c93e0"],
  ["#d67b00", "#f2aa2e"],
  ["#009e73", "#2cc397"],
  ["#a8487f", "#f0a3d6"],
  ["#3f97c6", "#a6deff"],
  ["#766d00", "#ece47a"],
  ["#46208c", "#7547d6"],
  ["#5e3314", "#a8662f"],
  ["#8a9399", "#7f8d97"],
  ["#0d1a24", "#f1f4f5"],
];

/**
 * The number of a server's colour, from 1: the number that its name ends with.
 * The live page's colours.js does the same.
 */
export function serverColour(server: string): number {
  const number = Number(/\d+$/.exec(server)?.[0] ?? 1);
  return (Math.max(number, 1) - 1) % SERVER_COLOURS.length + 1;
}

const ALL = [
  ...Object.entries(COLOURS),
  ...SERVER_COLOURS.map((both, at) => [`server-${at + 1}`, both] as const),
];
const LIGHT = ALL.map(([name, [light]]) => `--${name}: ${light};`).join(" ");
const DARK = ALL.map(([name, [, dark]]) => `--${name}: ${dark};`).join(" ") +
  " color-scheme: dark;";
const OF_SERVERS = SERVER_COLOURS.map((_, at) =>
  `[data-colour="${at + 1}"] { --colour: var(--server-${at + 1}); }`
).join("\n");

/**
 * The style that all pages begin with. Sizes are in rem: the root grows with
 * the window, so that the last row of a room reads a projector as a reader does
 * a laptop. Dark is what the reader's system is, unless the page itself says
 * which it is by `data-theme`; paper in a printer is light.
 */
export const LOOK = `
:root {
  ${LIGHT}
  color-scheme: light;
  font: clamp(16px, 6px + 0.73vw, 24px) / 1.4 system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
  color: var(--ink);
  background: var(--paper);
}
@media screen { :root[data-theme="dark"] { ${DARK} } }
@media screen and (prefers-color-scheme: dark) {
  :root:not([data-theme]) { ${DARK} }
}
${OF_SERVERS}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto;
  padding: 0 clamp(0.8rem, 2vw, 2rem) 4rem;
  max-width: 130rem;
}
h1, h2, h3, p, dl, dd, ol, ul, figure { margin: 0; padding: 0; }
ol, ul { list-style: none; }
h2 { font-size: 1.35rem; font-weight: 650; letter-spacing: -0.01em; }
code, pre {
  font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Consolas, monospace;
  font-size: 0.9em;
}
a { color: var(--accent); }
.hint { color: var(--quiet); }
.wrong { color: var(--wrong); font-weight: 600; }
.scrolled { overflow: auto; max-height: 20rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.chart { min-width: 0; }
.chart figcaption { font-weight: 600; }
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0 1.1rem;
  min-height: 1.4em;
  font-size: 0.9rem;
}
.chip {
  display: inline-block;
  width: 0.8em;
  height: 0.8em;
  margin-right: 0.4em;
}
summary { width: fit-content; color: var(--quiet); cursor: pointer; }
table { border-collapse: collapse; }
caption { text-align: left; color: var(--quiet); }
th, td {
  padding: 0.15rem 1.2rem 0.15rem 0;
  text-align: right;
  border-bottom: 1px solid var(--line);
}
th:first-child { text-align: left; }
`;
