/** The command `check`: looks at a laptop before a workshop. */
import { EXIT_CODES } from "../core/errors.ts";
import { type FlagRows, helpText, parseFlags } from "../core/flags.ts";
import { killAllChildren } from "../io/child.ts";
import { listenForStop } from "../io/program.ts";
import { print, printError } from "../io/terminal.ts";
import {
  decodeLook,
  encodeLook,
  ITEMS,
  type Look,
  versionOfNumber,
} from "../kit/code.ts";
import { lookAround } from "../kit/look.ts";

const FLAGS = {
  look: {
    name: "decode",
    placeholder: "CODE",
    help: "Tell what a code says, and look at nothing",
    default: undefined as Look | undefined,
    parse: decodeLook,
  },
} as const satisfies FlagRows;

const ABOUT = `Looks at this machine before a workshop: versions, ports, \
addresses, limits, disk, memory, and
its speed in 3 s of load. The code in the last line says the same, for whoever leads the
workshop. Exit code 0 if all is in order, ${EXIT_CODES.failed} if not.`;

/**
 * Runs the command.
 *
 * @param argv The arguments after "check".
 * @returns The exit code.
 * @throws {Failure} When a flag is wrong, or it is interrupted.
 */
export async function check(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(FLAGS, argv);
  if (help) {
    print(helpText("check [flags]", ABOUT, FLAGS));
    return 0;
  }
  if (values.look !== undefined) {
    linesOf(values.look).forEach(print);
    return exitCode(values.look);
  }
  const { signal } = listenForStop(killAllChildren);
  const look = await lookAround(
    ({ item, isFine, said }) => print(line(item, isFine, said)),
    { onProgress: printError, signal },
  );
  print(`code: ${encodeLook(look)}`);
  return exitCode(look);
}

function exitCode({ fine }: Look): number {
  return ITEMS.every((item) => fine.has(item)) ? 0 : EXIT_CODES.failed;
}

/** What a code says. */
function linesOf({ fine, figures }: Look): readonly string[] {
  const { version, cores, memory64Mib, disk256Mib, callsPerS, p99Ms } = figures;
  const said: Readonly<Partial<Record<typeof ITEMS[number], string>>> = {
    versions: `demo ${versionOfNumber(version)}`,
    disk: `${(disk256Mib / 4).toFixed(1)} GiB free`,
    memory: `${(memory64Mib / 16).toFixed(1)} GiB to be used`,
    processor: `${cores} cores`,
    speed: `${callsPerS} calls/s, 99 % within ${p99Ms} ms`,
  };
  return ITEMS.map((item) => line(item, fine.has(item), said[item] ?? ""));
}

const ITEM_WIDTH = Math.max(...ITEMS.map((item) => item.length));

function line(item: string, isFine: boolean, said: string): string {
  const verdict = isFine ? "ok    " : "FAILED";
  return `${verdict}  ${item.padEnd(ITEM_WIDTH)}  ${said}`.trimEnd();
}
