/** Keeps the certificates of Compose's profile "tls", and writes its envoy.yaml. */
import { type FlagRows, helpText, parseFlags } from "./core/flags.ts";
import { listenForStop, runProgram, whenAborted } from "./io/program.ts";
import { print } from "./io/terminal.ts";
import { Certificates, LIFETIME_MS_DEFAULT } from "./stack/certificates.ts";
import { parseEnvoyConfig } from "./stack/envoy_config.ts";
import { addTls } from "./stack/envoy_tls.ts";

const ABOUT =
  `Makes certificates for Envoy and its callers in /tls, and renews \
them after 20 minutes
of the hour that they are valid. Also writes /tls/server/envoy.yaml: this \
project's, with TLS.`;

/** Where both sides' volumes are. */
const FOLDER = "/tls";

const FLAGS = {} as const satisfies FlagRows;

async function run(): Promise<number> {
  const { help } = parseFlags(FLAGS, Deno.args);
  if (help) {
    print(helpText("certificates", ABOUT, FLAGS));
    return 0;
  }
  const stop = listenForStop();
  await Certificates.keep(FOLDER, { onFailure: print });
  const config = parseEnvoyConfig();
  addTls(config, FOLDER);
  // JSON is YAML. Envoy waits for this file, so it comes last.
  const path = `${FOLDER}/server/envoy.yaml`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  print(
    `certificates are in ${FOLDER}, for ${LIFETIME_MS_DEFAULT / 60_000} min`,
  );
  await whenAborted(stop.signal);
  return 0; // What is in the volumes goes with them.
}

if (import.meta.main) await runProgram("certificates", run);
