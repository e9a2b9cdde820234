/** Lessons' texts as lines of a terminal. */
import { type Block, parseMarkdown, type Span } from "./markdown.ts";

/**
 * The commands of a text as they are typed: texts say "./demo VERB", which is
 * what the offline kit has.
 *
 * @param command What is typed before a verb here.
 */
export function asTyped(text: string, command: string): string {
  return text.replace(/\.\/demo (?=[a-z])/g, `${command} `);
}

/**
 * The lines of a text in Markdown. Fenced blocks keep their lines as they are.
 *
 * @param width The longest line, in characters, unless a word is longer.
 */
export function textLines(text: string, width: number): readonly string[] {
  const blocks = parseMarkdown(text);
  return blocks.flatMap((block, at) => {
    // The items of a list belong together.
    const isNext = block.kind === "item" && blocks[at - 1]?.kind === "item";
    return [...(at === 0 || isNext ? [] : [""]), ...linesOf(block, width)];
  });
}

function linesOf(block: Block, width: number): readonly string[] {
  if (block.kind === "code") {
    return block.text.split("\n").map((line) => `    ${line}`.trimEnd());
  }
  const text = block.spans.map(plain).join("");
  if (block.kind === "heading") return [text, "-".repeat(text.length)];
  if (block.kind === "paragraph") return wrapped(text, width);
  const indent = " ".repeat(block.marker.length + 1);
  return wrapped(text, width - indent.length)
    .map((line, at) => (at === 0 ? `${block.marker} ` : indent) + line);
}

function plain({ kind, text, href }: Span): string {
  if (kind === "code") return `\`${text}\``;
  return kind === "link" ? `${text} (${href})` : text;
}

/** Lines of at most `width` characters, unless a word is longer. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((one) => one !== "")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) {
      lines.push(word);
    } else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
