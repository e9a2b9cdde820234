/**
 * The Markdown that lessons are written in: headings, paragraphs, lists of one
 * level, fenced blocks; inline code, strong words and links.
 */

/** A stretch of a line. */
export interface Span {
  readonly kind: "text" | "code" | "strong" | "link";
  readonly text: string;
  /** Where a link leads to. */
  readonly href?: string;
}

/** A block of a text. */
export type Block =
  | {
    readonly kind: "heading" | "paragraph" | "item";
    /** An item's: "-" or a number with a full stop; else "". */
    readonly marker: string;
    readonly spans: readonly Span[];
  }
  | {
    readonly kind: "code";
    /** For example "sh"; "" if the fence names none. */
    readonly language: string;
    /** Its lines, as they are. */
    readonly text: string;
  };

const FENCE = /^\s*```(\w*)$/;
const HEADING = /^#+ (.*)$/;
const ITEM = /^(-|\d+\.) +(.*)$/;

/** Reads a text; what is no Markdown of lessons stays as it is written. */
export function parseMarkdown(text: string): readonly Block[] {
  const blocks: Block[] = [];
  /** The lines of the paragraph or item that is being read. */
  let words: string[] = [];
  let marker = "";
  const end = () => {
    const kind = marker === "" ? "paragraph" : "item";
    const spans = parseSpans(words.join(" "));
    if (words.length > 0) blocks.push({ kind, marker, spans });
    words = [];
    marker = "";
  };
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [, language] = FENCE.exec(line) ?? [];
    const [, heading] = HEADING.exec(line) ?? [];
    const [, bullet, item] = ITEM.exec(line) ?? [];
    if (language !== undefined) {
      end();
      const rest = lines.slice(at + 1);
      const length = rest.findIndex((one) => FENCE.test(one));
      const code = length < 0 ? rest : rest.slice(0, length);
      blocks.push({ kind: "code", language, text: withoutIndent(code) });
      at += code.length + 1;
    } else if (heading !== undefined) {
      end();
      const spans = parseSpans(heading);
      blocks.push({ kind: "heading", marker: "", spans });
    } else if (item !== undefined) {
      end();
      marker = bullet ?? "";
      words = [item];
    } else if (line.trim() === "") end();
    else words.push(line.trim());
  }
  end();
  return blocks;
}

function withoutIndent(lines: readonly string[]): string {
  const indents = lines.filter((line) => line.trim() !== "")
    .map((line) => line.search(/\S/));
  const indent = Math.min(...indents, Infinity);
  return lines.map((line) => line.slice(Math.min(indent, line.length)))
    .join("\n");
}

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

function parseSpans(text: string): readonly Span[] {
  const spans: Span[] = [];
  let from = 0;
  const addText = (to: number) => {
    if (to > from) spans.push({ kind: "text", text: text.slice(from, to) });
  };
  for (const match of text.matchAll(SPAN)) {
    const [all, code, strong, link, href = ""] = match;
    addText(match.index);
    spans.push(
      code !== undefined
        ? { kind: "code", text: code }
        : strong !== undefined
        ? { kind: "strong", text: strong }
        : { kind: "link", text: link ?? "", href },
    );
    from = match.index + all.length;
  }
  addText(text.length);
  return spans;
}
