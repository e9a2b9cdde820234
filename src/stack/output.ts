/** Prints the output of a stack's programs, prefixed with their names. */
import { type Colour, paint, print } from "../io/terminal.ts";

/** Width of the prefix; as wide as "server-10". */
const PREFIX_WIDTH = 9;

const SERVER_COLOURS: readonly Colour[] = ["green", "yellow", "blue", "cyan"];

/** The colour of a program's name, wherever it is printed. */
export function colourOf(program: string): Colour {
  if (program === "envoy") return "magenta";
  const number = Number(/^server-(\d+)$/.exec(program)?.[1] ?? 0);
  if (number === 0) return "grey";
  return SERVER_COLOURS[(number - 1) % SERVER_COLOURS.length] ?? "grey";
}

/** A line in the style of Compose: program and text. */
function prefixed(program: string, line: string): string {
  const prefix = `${program.padEnd(PREFIX_WIDTH)} |`;
  return `${paint(colourOf(program), prefix)} ${line}`;
}

/** Lines of envoy.yaml's access log begin with a time of day. */
const ACCESS_LOG = /^\d\d:\d\d:\d\d\.\d{3} /;

/** Whether a line belongs to Envoy's access log. */
export function isAccessLog(program: string, line: string): boolean {
  return program === "envoy" && ACCESS_LOG.test(line);
}

/** Prints a line of a program in the style of Compose. */
export function say(program: string, line: string): void {
  print(prefixed(program, line));
}
