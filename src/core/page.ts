/**
 * Self-contained HTML pages with one look. Text is escaped unless it is `Html`.
 * k6's scripts make such pages, too.
 */

/** Markup that is already HTML. */
export interface Html {
  readonly html: string;
}

/** A part of a page; anything but `Html` is text. */
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

/** An element; void elements, such as "meta", are not supported. */
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

/** JSON for a script, escaped so that it cannot end the script element. */
export function json(value: unknown): Html {
  const html = JSON.stringify(value).replaceAll("<", "\\u003c");
  return element("script", { type: "application/json" }, { html });
}

/** A verdict in its colour. */
export function verdict(word: string, text: string = word): Html {
  return element("span", { class: `verdict ${word}` }, text);
}

/** Whether a cell is a number, with its unit or sign. */
function isNumber(cell: Content | undefined): boolean {
  return typeof cell !== "object" &&
    /^(<=? )?[-+]?[\d.]*( %)?$/.test(String(cell));
}

/** A table; columns of numbers are aligned to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Content[])[],
): Html {
  const classes = head.map((_, column) =>
    rows.every((row) => isNumber(row[column])) ? { class: "number" } : {}
  );
  const line = (tag: string, cells: readonly Content[]) =>
    element(
      "tr",
      {},
      ...cells.map((cell, column) => element(tag, classes[column] ?? {}, cell)),
    );
  const lines = [line("th", head), ...rows.map((row) => line("td", row))];
  return element("div", { class: "scroll" }, element("table", {}, ...lines));
}

/** A table of names and values. */
export function pairs(record: Readonly<Record<string, Content>>): Html {
  const rows = Object.entries(record).map(([name, value]) =>
    element("tr", {}, element("th", {}, name), element("td", {}, value))
  );
  return element("table", {}, ...rows);
}

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif;
    --bar: #3b78c4; --line: #8886; --code: #8882; --good: #1a7f37;
    --bad: #cf222e; --unknown: #9a6700; }
  @media (prefers-color-scheme: dark) {
    :root { --bar: #6ea3e6; --good: #7bc67e; --bad: #ff7a68;
      --unknown: #e3b341; }
  }
  main { max-width: 1080px; margin: 0 auto; padding: 1rem; }
  h2 { margin-top: 2.5rem; border-top: 1px solid var(--line);
    padding-top: 1rem; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; margin: .5rem 0; }
  th, td { border: 1px solid var(--line); padding: .2rem .6rem;
    text-align: left; vertical-align: top; }
  .number { text-align: right; font-variant-numeric: tabular-nums; }
  code { background: var(--code); padding: .1rem .3rem; }
  .verdict { font-weight: 600; }
  td .verdict, h2 .verdict { text-transform: uppercase; font-size: .85em; }
  .held { color: var(--good); }
  .broken, .failed { color: var(--bad); }
  .unknown, .interrupted, .events { color: var(--unknown); }
  .charts { display: grid; gap: .5rem 1rem;
    grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); }
  .chart h4 { margin: .3rem 0; }
  .events { columns: 3 240px; }
  .limit { border-left: 4px solid var(--unknown); padding-left: .8rem; }
  .hint { font-size: .9rem; opacity: .8; margin: .3rem 0; }
  svg { width: 100%; height: auto; display: block; margin-bottom: .8rem;
    font: 13px system-ui, sans-serif; }
  svg text { fill: currentColor; }
`;

/** What a page may have besides its body. */
export interface PageParts {
  /** A library's style; the page's own comes after it. */
  readonly style?: string;
  /** Run in this order after the body; none may contain "</script". */
  readonly scripts?: readonly string[];
}

/** A whole page. */
export function page(
  title: string,
  body: readonly Content[],
  { style = "", scripts = [] }: PageParts = {},
): string {
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}${STYLE}</style>
<main>
${[element("h1", {}, title), ...body].map(htmlOf).join("\n")}
</main>
${scripts.map((script) => `<script>${script}</script>\n`).join("")}</html>
`;
}
