/**
 * Reads YAML and JSON into a tree that knows where everything is written.
 *
 * Envoy reads scalars with yaml-cpp, whose rules are neither those of YAML 1.1
 * nor of 1.2; see scalarValue(). The parser is another one than that of
 * core/yaml.ts, which takes 2.5 s for 1 MB; this one takes 0.2 s.
 */
import { type Event, EVENT_ID, getScalarValue, parseEvents } from "js-yaml";
import { SCALAR_STYLE, YAMLException } from "js-yaml";
import { Failure, messageOf } from "../core/errors.ts";
import { printable } from "../core/printable.ts";

/** A value in a file, and the offset at which it starts. */
export type Node = MapNode | ListNode | ScalarNode;

export interface MapNode {
  readonly kind: "map";
  readonly offset: number;
  /** In the order of the file; of equal keys the last one counts. */
  readonly entries: readonly Entry[];
}
export interface Entry {
  readonly key: string;
  readonly offset: number;
  readonly value: Node;
}
export interface ListNode {
  readonly kind: "list";
  readonly offset: number;
  readonly items: readonly Node[];
}
export interface ScalarNode {
  readonly kind: "scalar";
  readonly offset: number;
  readonly text: string;
  /** Whether it is quoted, or a block; then it is a string. */
  readonly isQuoted: boolean;
  /** The indent of a block ("|") whose lines are lines of the file. */
  readonly indent: number | undefined;
}

/** The value of a key, if there is one. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return node?.kind === "map"
    ? node.entries.findLast((entry) => entry.key === key)?.value
    : undefined;
}

/** The elements of a list; empty if it is none. */
export function listIn(
  node: Node | undefined,
  key: string,
): readonly Node[] {
  const value = child(node, key);
  return value?.kind === "list" ? value.items : [];
}

/** The text at a path of keys; empty if there is none. */
export function textAt(node: Node, ...path: readonly string[]): string {
  const value = path.reduce<Node | undefined>(child, node);
  return value?.kind === "scalar" ? value.text : "";
}

/** A text with everything in it counted, aliases included. */
interface Size {
  readonly nodes: number;
  readonly depth: number;
}

/** More than any configuration: 1 MB of YAML has some 100,000. */
const NODES_MAX = 1_000_000;

/** Deeper than any configuration; Envoy itself allows 100 messages. */
const DEPTH_MAX = 200;

/** The YAML parser's reasons are shorter, unless they quote the text. */
const REASON_UNITS_MAX = 200;

/**
 * Reads all documents of a text.
 *
 * @param name The file's name, for error messages.
 * @throws {Failure} `environment` when it is not YAML, or an alias has no
 * anchor, contains itself, or expands to more than 1,000,000 values.
 */
export function parseTree(text: string, name: string): readonly Node[] {
  let events: readonly Event[];
  try {
    events = parseLeniently(text);
  } catch (error) {
    const where = error instanceof YAMLException && error.mark !== undefined
      ? `line ${error.mark.line + 1}: `
      : "";
    const reason = error instanceof YAMLException
      ? error.reason
      : messageOf(error);
    if (/\{\{|\{%|<%/.test(text)) {
      throw cannotParse(
        name,
        `${where}it is a template; render it first and name the result`,
      );
    }
    throw cannotParse(
      name,
      `${where}${printable(reason, REASON_UNITS_MAX)}; correct it there`,
    );
  }
  return new TreeBuilder(text, name, events).documents();
}

/**
 * Parses; a bracket that ends a mapping or a list may be at the indent of what
 * that is in, which Envoy allows and formatters write. It is joined to the line
 * before, so that nothing changes its offset.
 */
function parseLeniently(text: string): readonly Event[] {
  try {
    return parseEvents(text, {});
  } catch (error) {
    const joined = text.replace(
      /(?: #[^\n"']*)?\r?\n(?=[ \t]*[}\]])/g,
      (end) => " ".repeat(end.length),
    );
    if (joined === text) throw error;
    return parseEvents(joined, {});
  }
}

/** The failure of a text that cannot be read. */
export function cannotParse(name: string, reason: string): Failure {
  return new Failure("environment", `Cannot parse ${name}: ${reason}`);
}

/** The line and column, from 1, of an offset. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds the position of offsets in a text. */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/** Turns a parser's events into trees. */
class TreeBuilder {
  readonly #text: string;
  readonly #name: string;
  readonly #events: readonly Event[];
  #next = 0;
  #anchors = new Map<string, Node | undefined>();
  readonly #sizes = new WeakMap<Node, Size>();

  constructor(text: string, name: string, events: readonly Event[]) {
    this.#text = text;
    this.#name = name;
    this.#events = events;
  }

  documents(): readonly Node[] {
    const documents: Node[] = [];
    while (this.#next < this.#events.length) {
      this.#next += 1; // The start of a document.
      this.#anchors = new Map();
      if (!this.#isPop()) documents.push(this.#node());
      this.#next += 1;
    }
    return documents;
  }

  #isPop(): boolean {
    return this.#events[this.#next]?.type === EVENT_ID.POP;
  }

  #node(): Node {
    const event = this.#events[this.#next];
    this.#next += 1;
    if (event?.type === EVENT_ID.ALIAS) return this.#aliased(event);
    if (event?.type === EVENT_ID.SCALAR) {
      const isAbsent = event.valueStart < 0;
      const node: ScalarNode = {
        kind: "scalar",
        offset: isAbsent ? this.#endOfLast() : event.valueStart,
        text: isAbsent ? "" : getScalarValue(this.#text, event),
        isQuoted: event.style !== SCALAR_STYLE.PLAIN,
        indent: event.style === SCALAR_STYLE.LITERAL_BLOCK
          ? event.indent
          : undefined,
      };
      return this.#done(node, event, []);
    }
    if (
      event?.type !== EVENT_ID.MAPPING && event?.type !== EVENT_ID.SEQUENCE
    ) throw new TypeError("Cannot build a tree: no value starts here");
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const parts: Node[] = [];
    while (!this.#isPop()) parts.push(this.#node());
    this.#next += 1;
    if (event.type === EVENT_ID.SEQUENCE) {
      return this.#done(
        { kind: "list", offset: event.start, items: parts },
        event,
        parts,
      );
    }
    const last = new Map<string, Entry>();
    for (let index = 0; index + 1 < parts.length; index += 2) {
      const [key, value] = [parts[index], parts[index + 1]];
      if (key === undefined || value === undefined) break;
      const text = key.kind === "scalar" ? key.text : "";
      last.set(text, { key: text, offset: key.offset, value });
    }
    const entries = [...last.values()];
    return this.#done(
      { kind: "map", offset: event.start, entries },
      event,
      entries.map(({ value }) => value),
    );
  }

  /** Remembers a node for aliases, and how large it is. */
  #done<T extends Node>(
    node: T,
    event: Event,
    children: readonly Node[],
  ): T {
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    let [nodes, depth] = [1, 1];
    for (const child of children) {
      const size = this.#sizes.get(child);
      nodes += size?.nodes ?? 1;
      depth = Math.max(depth, 1 + (size?.depth ?? 1));
    }
    if (nodes > NODES_MAX || depth > DEPTH_MAX) {
      throw cannotParse(
        this.#name,
        nodes > NODES_MAX
          ? `its aliases expand to more than ${NODES_MAX} values, which is no ` +
            "configuration; write them out"
          : `it is nested deeper than ${DEPTH_MAX}, which is no configuration`,
      );
    }
    this.#sizes.set(node, { nodes, depth });
    return node;
  }

  #anchorOf(event: Event): string | undefined {
    return "anchorStart" in event && event.anchorStart >= 0
      ? this.#text.slice(event.anchorStart, event.anchorEnd)
      : undefined;
  }

  #aliased(event: Event): Node {
    const anchor = this.#anchorOf(event) ?? "";
    const node = this.#anchors.get(anchor);
    if (node !== undefined) return node;
    const { line } = positionsIn(this.#text)(
      "anchorStart" in event ? event.anchorStart : 0,
    );
    const shown = printable(anchor, REASON_UNITS_MAX);
    throw cannotParse(
      this.#name,
      `line ${line}: ` +
        (this.#anchors.has(anchor)
          ? `"*${shown}" is inside of what it stands for; write it out`
          : `"*${shown}" has no anchor "&${shown}" before it; add one`),
    );
  }

  /** An empty value is where its key or dash ends. */
  #endOfLast(): number {
    const before = this.#events[this.#next - 2];
    return before?.type === EVENT_ID.SCALAR ? Math.max(0, before.valueEnd) : 0;
  }
}

/** A scalar as Envoy takes it. */
export type Scalar = string | number | boolean | null;

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/**
 * The value of a scalar as yaml-cpp reads it: whole numbers may be hexadecimal
 * (0x10) or octal (010), and numbers with a fraction stay text, since Envoy
 * passes them on as that.
 */
export function scalarValue({ text, isQuoted }: ScalarNode): Scalar {
  if (isQuoted) return text;
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  const [, sign, digits = ""] = /^([-+]?)(0[xX][\da-fA-F]+|\d+)$/.exec(text) ??
    [];
  if (digits === "") return text;
  const isOctal = /^0[0-7]+$/.test(digits);
  if (/^0\d/.test(digits) && !isOctal) return text;
  const value = isOctal ? parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}

/** A tree as plain objects, lists and scalars. */
export function plainOf(node: Node): unknown {
  if (node.kind === "scalar") return scalarValue(node);
  if (node.kind === "list") return node.items.map(plainOf);
  return Object.fromEntries(
    node.entries.map(({ key, value }) => [key, plainOf(value)]),
  );
}

/** Where the value at a path is, or the last part of it that is there. */
export function offsetAt(
  node: Node,
  path: readonly (string | number)[],
): number {
  const [step, ...rest] = path;
  if (step === undefined || node.kind === "scalar") return node.offset;
  if (node.kind === "list") {
    const item = node.items[Number(step)];
    return item === undefined ? node.offset : offsetAt(item, rest);
  }
  const entry = node.entries.find(({ key }) => key === step);
  if (entry !== undefined) {
    return rest.length === 0 ? entry.offset : offsetAt(entry.value, rest);
  }
  // One value may stand for a list of one, and Envoy numbers a map's entries.
  const [only] = node.entries;
  const isMap = only !== undefined && node.entries.length === 1 &&
    only.key !== rest[0];
  return /^0$/.test(String(step))
    ? offsetAt(isMap ? only.value : node, rest)
    : node.offset;
}
