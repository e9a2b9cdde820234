/**
 * The source info of a .proto file: each declaration's location and the comment
 * above it. Reflection publishes both, and protobufjs keeps neither the
 * locations nor the exact comments.
 */

/** One declaration, as google.protobuf.SourceCodeInfo.Location has it. */
export interface SourceLocation {
  /** Field numbers and indexes from the FileDescriptorProto down to it. */
  readonly path: readonly number[];
  /**
   * Start line, start column, end line, end column, from 0; the end line is
   * left out if it is the start line.
   */
  readonly span: readonly number[];
  /** The comment above it, without slashes; each line ends with a line feed. */
  readonly leadingComments?: string;
}

/**
 * The field numbers in descriptor.proto that lead from a kind of declaration,
 * or the file, to its contents.
 */
const FIELD_NUMBERS: Readonly<
  Record<string, Readonly<Record<string, number>>>
> = {
  file: { message: 4, enum: 5, service: 6 },
  message: { field: 2, message: 3, enum: 4, oneof: 8 },
  enum: { value: 2 },
  service: { rpc: 2 },
};

/** A comment, a quoted string, a word or any other character. */
const TOKEN =
  /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w.]+|\S/g;

interface Token {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

function tokensOf(source: string): Token[] {
  const lineStarts = [0];
  for (const { index } of source.matchAll(/\n/g)) lineStarts.push(index + 1);
  let line = 0;
  return [...source.matchAll(TOKEN)].map(({ 0: text, index }) => {
    while ((lineStarts[line + 1] ?? Infinity) <= index) line += 1;
    return { text, line, column: index - (lineStarts[line] ?? 0) };
  });
}

/** A declaration whose braces are still open. */
interface Scope {
  readonly kind: string;
  readonly path: readonly number[];
  /** How many declarations it has so far, by kind. */
  readonly counts: Map<string, number>;
  /** The index of its location in the result, if it has one. */
  readonly location?: number;
  readonly first?: Token;
}

/**
 * Finds the declarations of a .proto file: messages, enums, services, and their
 * members. A oneof's fields belong to its message, as in the descriptor.
 *
 * @param source The text of a valid file, with comments of the form "//".
 */
export function locationsOf(source: string): SourceLocation[] {
  const locations: SourceLocation[] = [];
  const scopes: Scope[] = [{ kind: "file", path: [], counts: new Map() }];
  let statement: Token[] = [];
  let comments: Token[] = [];
  let endLine = -1;
  const declare = (kind: string, last: Token): Scope => {
    const parent = [...scopes].reverse().find(({ kind }) => kind !== "oneof");
    const number = FIELD_NUMBERS[parent?.kind ?? ""]?.[kind];
    const [first] = statement;
    if (parent === undefined || number === undefined || first === undefined) {
      return { kind: "other", path: [], counts: new Map() };
    }
    const index = parent.counts.get(kind) ?? 0;
    parent.counts.set(kind, index + 1);
    const path = [...parent.path, number, index];
    const leadingComments = commentAbove(comments, first);
    locations.push({
      path,
      span: spanOf(first, last),
      ...(leadingComments === undefined ? {} : { leadingComments }),
    });
    const location = locations.length - 1;
    return { kind, path, counts: new Map(), location, first };
  };
  for (const token of tokensOf(source)) {
    if (token.text.startsWith("//")) {
      // A comment after a declaration, on its line, is about that declaration.
      if (token.line !== endLine) comments.push(token);
      continue;
    }
    endLine = token.line;
    if (token.text === "}" && statement.length === 0) {
      const { location, first } = scopes.pop() ?? {};
      const begun = location === undefined ? undefined : locations[location];
      if (location !== undefined && begun && first) {
        locations[location] = { ...begun, span: spanOf(first, token) };
      }
      comments = [];
      continue;
    }
    statement.push(token);
    if (token.text === "{") scopes.push(declare(kindOf(statement), token));
    else if (token.text === ";") declare(kindOf(statement), token);
    else continue;
    statement = [];
    comments = [];
  }
  return locations;

  function kindOf(tokens: readonly Token[]): string {
    const word = tokens[0]?.text ?? "";
    if (/^(message|enum|service|oneof|rpc)$/.test(word)) return word;
    if (/^(option|reserved|extensions|;)$/.test(word)) return "other";
    return scopes.at(-1)?.kind === "enum" ? "value" : "field";
  }
}

function spanOf(first: Token, last: Token): number[] {
  const end = last.column + last.text.length;
  return first.line === last.line
    ? [first.line, first.column, end]
    : [first.line, first.column, last.line, end];
}

/** The comment lines that end on the line above a declaration. */
function commentAbove(
  comments: readonly Token[],
  first: Token,
): string | undefined {
  const lines: string[] = [];
  for (let line = first.line - 1;; line -= 1) {
    const comment = comments.find((token) => token.line === line);
    if (comment === undefined) break;
    lines.unshift(`${comment.text.slice(2)}\n`);
  }
  return lines.length === 0 ? undefined : lines.join("");
}
