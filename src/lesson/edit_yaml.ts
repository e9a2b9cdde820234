/** Changes fields of a YAML text and leaves every other byte as it is. */
import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { Failure } from "../core/errors.ts";
import { at, parseYaml, type Step } from "../core/yaml.ts";
import type { Edit } from "./lesson.ts";

/** Where a flow collection becomes a block: the width of `deno fmt`. */
const COLUMNS_MAX = 80;

/** A stretch of the text and what takes its place. */
interface Patch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

type Collection = YAMLMap | YAMLSeq;

/**
 * Makes the edits, one after another. An edit below an anchor holds where its
 * aliases are, too, as it does for whoever edits the text by hand.
 *
 * @param text YAML that parseYaml() takes.
 * @param edits Only the last step of a path may be new: a field of a mapping,
 * or the index after a list's last element.
 * @throws {Failure} `environment` when an edit does not fit the text, changes
 * nothing, or would have to change an alias.
 */
export function editYaml(text: string, edits: readonly Edit[]): string {
  return edits.reduce(edited, text);
}

function edited(text: string, { path, value }: Edit): string {
  const refuse = (why: string) =>
    new Failure(
      "environment",
      `Cannot edit ${path.join(".")}: ${why}; fix the edit or the file`,
    );
  const before = parseYaml(text, "the text before an edit");
  if (same(at(before, ...path), value)) throw refuse("it changes nothing");
  const { from, to, text: inserted } = patchOf(text, path, value, refuse);
  const result = text.slice(0, from) + inserted + text.slice(to);
  const after = parseYaml(result, `the text after the edit of ${path.at(-1)}`);
  const isList = Array.isArray(at(after, ...path.slice(0, -1)));
  const isMade = value === undefined && isList
    ? !same(before, after)
    : same(at(after, ...path), value);
  if (!isMade) throw refuse("its value does not fit there");
  return result;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function patchOf(
  text: string,
  path: readonly Step[],
  value: unknown,
  refuse: (why: string) => Failure,
): Patch {
  let node: unknown = parseDocument(text, { merge: true }).contents;
  for (const [depth, step] of path.slice(0, -1).entries()) {
    node = valueOf(itemAt(node, step));
    if (isAlias(node)) {
      throw refuse(
        `${path.slice(0, depth + 1).join(".")} is "*${node.source}", which ` +
          "another place defines; set that whole field instead",
      );
    }
  }
  const step = path.at(-1);
  if (!isMap(node) && !isSeq(node) || step === undefined) {
    throw refuse("there is no such place");
  }
  const item = itemAt(node, step);
  if (item !== undefined) {
    return value === undefined
      ? removal(text, node, item, refuse)
      : replacement(text, node, item, value);
  }
  if (value === undefined || isSeq(node) && step !== node.items.length) {
    throw refuse("there is no such place");
  }
  return addition(text, node, step, value);
}

/** The element of a list, or the pair of a mapping. */
function itemAt(node: unknown, step: Step): unknown {
  if (isMap(node)) {
    return node.items.find(({ key }) => isScalar(key) && key.value === step);
  }
  return isSeq(node)
    ? node.items.find((one) => isMap(one) && one.get("name") === step) ??
      node.items[Number(step)]
    : undefined;
}

function valueOf(item: unknown): unknown {
  return isPair(item) ? item.value : item;
}

function rangeOf(node: unknown): readonly [number, number] {
  const { range } = node as { range: readonly [number, number] };
  return range;
}

function startOf(item: unknown): number {
  return rangeOf(isPair(item) ? item.key : item)[0];
}

/** Where a node's own text ends, without what follows its last element. */
function endOf(text: string, item: unknown): number {
  const node = valueOf(item);
  if (node === null || node === undefined) {
    return rangeOf((item as Pair).key)[1] + 1; // The colon.
  }
  if (isCollection(node) && !node.flow && node.items.length > 0) {
    return endOf(text, node.items.at(-1));
  }
  const [from, to] = rangeOf(node);
  return from + text.slice(from, to).trimEnd().length;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end;
}

/** On one line; strings in a flow collection may need quotes. */
function inline(value: unknown, isInFlow: boolean): string {
  if (typeof value === "string" && value.includes("\n")) {
    return JSON.stringify(value);
  }
  if (typeof value !== "object" && !isInFlow) {
    return stringify(value, { lineWidth: 0 }).trimEnd();
  }
  const list = stringify([value], { collectionStyle: "flow", lineWidth: 0 });
  return list.trim().slice(2, -2);
}

/** Lines below a key, or behind the dash of a list. */
function block(value: unknown, column: number): string {
  return stringify(value, { lineWidth: 0 }).trimEnd()
    .replaceAll("\n", `\n${" ".repeat(column)}`);
}

/** A field's value behind its colon; `column` is the key's. */
function behindColon(value: unknown, column: number, used: number): string {
  const short = inline(value, false);
  return typeof value !== "object" || used + 1 + short.length <= COLUMNS_MAX
    ? ` ${short}`
    : `\n${" ".repeat(column + 2)}${block(value, column + 2)}`;
}

function replacement(
  text: string,
  parent: Collection,
  item: unknown,
  value: unknown,
): Patch {
  const node = valueOf(item);
  const to = endOf(text, item);
  if (!isPair(item) || parent.flow) {
    const [from] = rangeOf(node);
    const written = parent.flow || typeof value !== "object"
      ? inline(value, parent.flow === true)
      : block(value, columnOf(text, from));
    return { from, to, text: written };
  }
  // Behind the colon and the anchor, which aliases still need.
  const anchor = isScalar(node) || isCollection(node) ? node.anchor : undefined;
  const colon = text.indexOf(":", rangeOf(item.key)[1]) + 1;
  const from = anchor === undefined
    ? colon
    : text.indexOf(`&${anchor}`, colon) + anchor.length + 1;
  const column = columnOf(text, startOf(item));
  const used = columnOf(text, from);
  return { from, to, text: behindColon(value, column, used) };
}

function addition(
  text: string,
  parent: Collection,
  step: Step,
  value: unknown,
): Patch {
  const last = parent.items.at(-1);
  if (parent.flow) {
    const written = (isMap(parent) ? `${inline(step, true)}: ` : "") +
      inline(value, true);
    if (last === undefined) {
      const [from, to] = rangeOf(parent);
      const filled = isMap(parent) ? `{ ${written} }` : `[${written}]`;
      return { from, to, text: filled };
    }
    const from = endOf(text, last);
    return { from, to: from, text: `, ${written}` };
  }
  const from = lineEnd(text, endOf(text, last));
  const column = columnOf(text, rangeOf(parent)[0]);
  const indent = `\n${" ".repeat(column)}`;
  const key = inline(step, false);
  const written = isMap(parent)
    ? `${key}:${behindColon(value, column, column + key.length + 1)}`
    : `- ${block(value, column + 2)}`;
  return { from, to: from, text: indent + written };
}

function removal(
  text: string,
  parent: Collection,
  item: unknown,
  refuse: (why: string) => Failure,
): Patch {
  const items: readonly unknown[] = parent.items;
  const index = items.indexOf(item);
  const to = endOf(text, item);
  if (items.length === 1) {
    throw refuse("nothing would be left beside it; remove what it is in");
  }
  if (parent.flow) {
    return index === 0
      ? { from: startOf(item), to: startOf(items[1]), text: "" }
      : { from: endOf(text, items[index - 1]), to, text: "" };
  }
  const start = lineStart(text, startOf(item));
  const next = lineEnd(text, to) + 1;
  // A list element's first field shares its line with the dash, which stays.
  const isFirst = isMap(parent) && index === 0 &&
    text.slice(start, startOf(item)).trim() !== "";
  if (!isFirst) return { from: start, to: next, text: "" };
  const indent = text.slice(next).search(/\S/);
  return { from: startOf(item), to: next + indent, text: "" };
}
