/**
 * HTML pages that need nothing else and run no script, with the look of the
 * live page. Text is escaped unless it is `Html`. k6's scripts make such pages,
 * too.
 */
import { LOOK } from "./look.ts";

/** What is HTML already. */
export interface Html {
  readonly html: string;
}

/** A part of a page; all but `Html` is text. */
export type Content = Html | string | number;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}

function htmlOf(content: Content): string {
  return typeof content === "object" ? content.html : escape(String(content));
}

/** An element; one without an end, such as "meta", is not made here. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Content[]
): Html {
  const pairs = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escape(String(value))}"`).join("");
  return {
    html: `<${name}${pairs}>${children.map(htmlOf).join("")}</${name}>`,
  };
}

/** A box with a class. */
export function box(name: string, ...children: readonly Content[]): Html {
  return element("div", { class: name }, ...children);
}

/** A number with one decimal at most; "-" where there is none. */
export function rounded(value: number | null | undefined): Content {
  return typeof value === "number" ? Math.round(value * 10) / 10 : "-";
}

/** A verdict in its colour. */
export function verdict(word: string, text: string = word): Html {
  return element("span", { class: `verdict ${word}` }, text);
}

/** Whether a cell has a number alone, with what is said of numbers. */
function isNumber(cell: Content | undefined): boolean {
  return typeof cell !== "object" &&
    /^(<=? )?[-+]?[\d.]*( %)?$/.test(String(cell));
}

/** A table; columns of numbers are aligned to the right, all others are not. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Content[])[],
): Html {
  const classes = head.map((_, column) =>
    rows.every((row) => isNumber(row[column])) ? {} : { class: "words" }
  );
  const line = (tag: string, cells: readonly Content[]) =>
    element(
      "tr",
      {},
      ...cells.map((cell, column) => element(tag, classes[column] ?? {}, cell)),
    );
  const lines = [line("th", head), ...rows.map((row) => line("td", row))];
  return box("wide", element("table", {}, ...lines));
}

/** What is folded away until somebody asks for it. */
export function folded(summary: string, ...children: readonly Content[]): Html {
  return element("details", {}, element("summary", {}, summary), ...children);
}

const STYLE = `
main { display: grid; gap: 0.8rem; grid-template-columns: minmax(0, 1fr); }
main > p, section > p, li { max-width: 75ch; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; font-weight: 700; letter-spacing: -0.02em;
  line-height: 1.2; margin-top: 1.6rem; }
h2 { margin-top: 1.6rem; }
.pair h2 { margin-top: 0; }
.pair > div > * + * { margin-top: 0.6rem; }
h3 { font-size: 1.1rem; font-weight: 650; }
.lede { font-size: 1.35rem; line-height: 1.3; }
.wide { overflow-x: auto; }
.words { text-align: left; vertical-align: top; }
th { font-weight: 500; color: var(--quiet); }
.verdict { font-weight: 650; white-space: nowrap; }
.verdict::before { content: "? " / ""; }
.held::before { content: "✓ " / ""; }
.broken::before, .failed::before { content: "✗ " / ""; }
.broken, .failed { color: var(--wrong); }
.as-it-must { color: var(--quiet); font-weight: 500; }
.as-it-must::before { content: ""; }
.lede.verdict { white-space: normal; font-weight: 700; }
.faults li { color: var(--wrong); font-weight: 600; }
.limit { border-left: 0.3rem solid var(--edge); padding-left: 0.8rem; }
details > :not(summary) { margin-top: 0.6rem; }
.pair { display: grid; gap: 1.4rem 2.4rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.parts { grid-template-columns:
    repeat(auto-fit, minmax(min(39rem, 100%), 1fr)); }
.parts td, .parts th { padding-right: 0.8rem; }
.bars { display: grid; gap: 0.4rem 0.8rem; align-items: center;
  grid-template-columns: fit-content(30%) minmax(0, 1fr) auto;
  max-width: 60rem; overflow-wrap: anywhere; }
.bars b { font-size: 1.2rem; text-align: right; }
.track { position: relative; height: 1.8rem; background: var(--stage); }
.track i { position: absolute; inset: 0 auto 0 0;
  background: var(--colour, var(--accent)); }
.track .target { inset: -0.2rem auto; min-width: 3px; background: var(--ink);
  opacity: 0.65; }
@media print { :root { font-size: 11px; print-color-adjust: exact; }
  figure, tr { break-inside: avoid; } }
`;

/** What a browser may load for a page: nothing, and no script at all. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A whole page. `style` is what it has beside the look of all. */
export function page(
  title: string,
  body: readonly Content[],
  style: string = "",
): string {
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>${LOOK}${STYLE}${style}</style>
<main>
${body.map(htmlOf).join("\n")}
</main>
</html>
`;
}
