/** The command `serve`: hands the kit out in the room's network. */
import { isIP } from "node:net";
import { Failure } from "../core/errors.ts";
import { type FlagRows, helpText, parseFlags, port } from "../core/flags.ts";
import { filePath } from "../io/files.ts";
import { listenForStop, whenAborted } from "../io/program.ts";
import { print } from "../io/terminal.ts";
import { findOffers, handOut } from "../kit/hand_out.ts";
import { say } from "../stack/output.ts";

/** Only this machine can ask there. */
const OWN_ADDRESS = "127.0.0.1";

/** All addresses of this machine. */
const EVERY_ADDRESS = "0.0.0.0";

const FLAGS = {
  dir: {
    name: "dir",
    placeholder: "DIR",
    help: "The folder with a kit's archive and its .sha256 file",
    default: "",
    parse: filePath,
  },
  address: {
    name: "address",
    placeholder: "ADDRESS",
    help: `This machine's address in the room; ${EVERY_ADDRESS} means all`,
    default: OWN_ADDRESS,
    parse: (text: string) => {
      if (isIP(text) !== 0) return text;
      throw new RangeError("must be an IP address of this machine");
    },
  },
  port: {
    name: "port",
    placeholder: "PORT",
    help: "The port to listen on; 0 for any free one",
    default: 8070,
    parse: port(0),
  },
} as const satisfies FlagRows;

const ABOUT = `Hands out a kit's archive and its digest over HTTP, and nothing \
else, until Ctrl-C. Only this
machine can ask, unless --address names its address in the room's network.`;

/**
 * Runs the command.
 *
 * @param argv The arguments after "serve".
 * @returns The exit code.
 * @throws {Failure} When a flag is wrong, an archive is not what its digest
 * says, or it cannot listen.
 */
export async function serve(argv: readonly string[]): Promise<number> {
  const { values, help } = parseFlags(FLAGS, argv);
  if (help) {
    print(helpText("serve --dir DIR [flags]", ABOUT, FLAGS));
    return 0;
  }
  if (values.dir === "") {
    throw new Failure("usage", "serve needs the folder of a kit: --dir dist");
  }
  const { signal } = listenForStop();
  const offers = await findOffers(values.dir);
  if (signal.aborted) return 0;
  for (const { name, bytes, sha256 } of offers) {
    say("serve", `offers ${name}, ${megabytes(bytes)}, sha256 ${sha256}`);
  }
  const { address } = values;
  const place = handOut({
    ...{ offers, address, port: values.port },
    onReceived: (who, { offer, start, end }) =>
      say("serve", `${who} has ${offer.name}, ${megabytes(end - start)}`),
  });
  const addresses = address === EVERY_ADDRESS ? roomAddresses() : [address];
  for (const one of addresses) {
    const host = isIP(one) === 6 ? `[${one}]` : one;
    say("serve", `at http://${host}:${place.port}/`);
  }
  if (address === OWN_ADDRESS) {
    const [own = "ADDRESS"] = roomAddresses();
    say("serve", `only this machine can ask; --address ${own} is for the room`);
  }
  const reason = await whenAborted(signal);
  await place.close();
  say("serve", `stopping on ${reason}`);
  return 0;
}

/** This machine's IPv4 addresses that others can reach. */
function roomAddresses(): readonly string[] {
  return Deno.networkInterfaces()
    .filter(({ family, address }) =>
      family === "IPv4" && !address.startsWith("127.")
    )
    .map(({ address }) => address);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(2)} MB`;
}
