/** The command `doctor`: finds known pitfalls in an Envoy configuration. */
import { dirname } from "node:path";
import denoJson from "../../deno.json" with { type: "json" };
import { EXIT_CODES, Failure, messageOf } from "../core/errors.ts";
import {
  type FlagRows,
  type FlagValues,
  helpText,
  parseFlags,
  wholeNumber,
  words,
} from "../core/flags.ts";
import { tableLines } from "../core/table.ts";
import {
  CONFIG_BYTES_MAX,
  type Configuration,
  decodeText,
  readConfiguration,
} from "../doctor/configuration.ts";
import {
  DOCTOR_RULES,
  type Examination,
  examine,
  type Verdict,
} from "../doctor/examine.ts";
import type { ReadNamed } from "../doctor/model.ts";
import {
  experimentOf,
  explanation,
  type Measurement,
  reportJson,
  reportLines,
  reportSarif,
} from "../doctor/report.ts";
import { plainOf } from "../doctor/yaml_tree.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { nativeStacks } from "../experiment/stacks.ts";
import { commandWords } from "../io/build.ts";
import { killAllChildren } from "../io/child.ts";
import { typedPath } from "../io/files.ts";
import { requestLocal } from "../io/local_http.ts";
import { listenForStop } from "../io/program.ts";
import { print } from "../io/terminal.ts";
import { findToolHere } from "../io/tools.ts";
import { validateWithEnvoy } from "../stack/envoy_validate.ts";
import { measure } from "./doctor_measure.ts";
import { ownConfigOf, readBeside } from "./own_config.ts";

const FLAGS = {
  from: {
    name: "from",
    placeholder: "URL",
    help:
      "Examine a running Envoy, by its admin interface: http://localhost:9901",
    default: "",
    parse: words(1000),
  },
  services: {
    name: "services",
    placeholder: "NAMES",
    help:
      "Services that servers register, comma-separated; those of the routes unless given",
    default: [] as readonly string[],
    parse: (text: string) => text.split(",").map((name) => name.trim()),
  },
  envoys: {
    name: "envoys",
    placeholder: "COUNT",
    help: "How many Envoys share the load",
    default: 1,
    parse: wholeNumber(1, 1_000_000),
  },
  concurrency: {
    name: "concurrency",
    placeholder: "COUNT",
    help: "Envoy's worker threads; unknown unless given or asked by --from",
    default: undefined as number | undefined,
    parse: wholeNumber(1, 10_000),
  },
  mustValidate: {
    name: "validate",
    help: "Fail if Envoy, which is asked wherever it is found, is not here",
    switch: true,
  },
  isUnasked: {
    name: "no-validate",
    help: "Do not ask Envoy itself",
    switch: true,
  },
  isMeasured: {
    name: "measure",
    help: "Run the experiment of each finding with the configuration itself",
    switch: true,
  },
  isJson: { name: "json", help: "Print JSON", switch: true },
  isSarif: { name: "sarif", help: "Print SARIF 2.1.0", switch: true },
} as const satisfies FlagRows;

type Flags = FlagValues<typeof FLAGS>;

const USAGE = "doctor FILE | - | --from URL | list | explain RULE [flags]";

const ABOUT = `Finds known pitfalls of gRPC in an Envoy configuration: YAML, \
JSON, a dump of /config_dump, or
Kubernetes manifests with one inside or with GRPCRoutes; - is standard input.
  doctor list           list all rules
  doctor explain RULE   why a rule matters, and what to change
Exit code 0: everything was followed, and nothing found; ${EXIT_CODES.failed}: \
something was found, or could not be
followed; ${EXIT_CODES.usage}: the command line is wrong; \
${EXIT_CODES.environment}: it cannot be examined.`;

/** How long Envoy's admin interface may take. */
const DUMP_LIMIT_MS = 10_000;

/** What is examined, and where its files are. */
interface Input {
  readonly configuration: Configuration;
  readonly readNamed: ReadNamed;
  /** How Envoy can be asked; undefined for a dump, resources and manifests. */
  readonly validateFrom?: Parameters<typeof validateWithEnvoy>[1];
  readonly concurrency?: number | undefined;
}

/**
 * Runs the command.
 *
 * @param catalogue All experiments, for --measure.
 * @param argv The arguments after "doctor".
 * @returns The exit code.
 * @throws {Failure} When there is nothing that can be examined.
 */
export async function doctor(
  catalogue: readonly Experiment[],
  argv: readonly string[],
): Promise<number> {
  const { values, positionals, help } = parseFlags(FLAGS, argv, {
    positionalsMax: 2,
  });
  if (help) {
    print(helpText(USAGE, ABOUT, FLAGS));
    return 0;
  }
  const [file, rule] = positionals;
  if (file === "list" && rule === undefined) {
    listLines().forEach(print);
    return 0;
  }
  if (file === "explain") {
    explain(rule).forEach(print);
    return 0;
  }
  if (rule !== undefined || (file === undefined) === (values.from === "")) {
    throw new Failure("usage", `doctor needs one input: ${USAGE}`);
  }
  const input = file === undefined
    ? await fromEnvoy(values.from)
    : await fromFile(file);
  const examination = examine(
    input.configuration,
    {
      services: values.services,
      envoys: values.envoys,
      concurrency: values.concurrency ?? input.concurrency,
    },
    input.readNamed,
    await verdictOn(input, values),
  );
  const measured = values.isMeasured
    ? await measureFindings(examination, input, values, catalogue)
    : undefined;
  if (values.isJson) print(reportJson(examination, measured));
  else if (values.isSarif) {
    print(reportSarif(examination, DOCTOR_RULES, denoJson.version, measured));
  } else reportLines(examination, DOCTOR_RULES.length, measured).forEach(print);
  return examination.diagnoses.length + examination.unseen.length === 0
    ? 0
    : EXIT_CODES.failed;
}

/** Runs the experiments of the findings; says how it goes, but not in JSON. */
async function measureFindings(
  { name, diagnoses }: Examination,
  input: Input,
  { isJson, isSarif, concurrency = input.concurrency }: Flags,
  catalogue: readonly Experiment[],
): Promise<Measurement> {
  const say = isJson || isSarif ? () => {} : print;
  await requireEnvoy("--measure");
  const { signal } = listenForStop(killAllChildren);
  const stacks = await nativeStacks(say, signal);
  return await measure(diagnoses, {
    catalogue,
    concurrency,
    stacks,
    signal,
    base: () => ({
      ...ownConfigOf(input.configuration, input.readNamed),
      name,
    }),
    onLine: say,
  });
}

/** The path of Envoy. @throws {Failure} `environment`, if it is not here. */
async function requireEnvoy(flag: string): Promise<string> {
  const envoy = await findToolHere("envoy");
  if (envoy !== undefined) return envoy.path;
  throw new Failure(
    "environment",
    `${flag} needs Envoy ${denoJson.toolVersions.envoy}; put it on PATH, or ` +
      "name it in the variable ENVOY",
  );
}

function listLines(): readonly string[] {
  return tableLines(
    ["rule", "severity", "experiment"],
    DOCTOR_RULES.map((rule) => [
      rule.id,
      rule.severity,
      experimentOf(rule) ?? "",
    ]),
  );
}

function explain(id: string | undefined): readonly string[] {
  const rule = DOCTOR_RULES.find((one) => one.id === id);
  if (rule === undefined) {
    throw new Failure(
      "usage",
      `There is no rule "${id ?? ""}"; \`${commandWords()} doctor list\` has ` +
        "them all",
    );
  }
  return [`${rule.id} (${rule.severity})`, ...explanation(rule)];
}

async function fromFile(typed: string): Promise<Input> {
  const name = typed === "-" ? "standard input" : typed;
  const file = typed === "-" ? "/dev/stdin" : typedPath(typed);
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(
      typed === "-" ? Deno.stdin.readable : (await Deno.open(file)).readable,
    );
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot read "${file}": ${messageOf(error)}; name an Envoy configuration`,
      { cause: error },
    );
  }
  const configuration = readConfiguration(decodeText(bytes, name), name);
  const folder = typed === "-" ? Deno.cwd() : dirname(file);
  const { text, isWholeFile } = configuration;
  // Of other names Envoy does not know the format.
  const isPlain = /\.(ya?ml|json)$/i.test(typed) && isWholeFile;
  return {
    configuration,
    readNamed: (path) => readBeside(folder, path),
    ...(text === undefined
      ? {}
      : { validateFrom: isPlain ? { file, folder } : { text, folder } }),
  };
}

/** Reads one byte more than a configuration may have, at most. */
async function readBounded(
  stream: ReadableStream<Uint8Array>,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let count = 0;
  for await (const part of stream) {
    parts.push(part);
    count += part.length;
    if (count > CONFIG_BYTES_MAX) break;
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** What a running Envoy uses, with what discovery has given it. */
async function fromEnvoy(url: string): Promise<Input> {
  const read = async (path: string): Promise<string> => {
    try {
      const { status, body } = await requestLocal(new URL(path, url).href, {
        method: "GET",
        timeoutMs: DUMP_LIMIT_MS,
        bytesMax: CONFIG_BYTES_MAX,
      });
      if (status !== 200) throw new Error(`it answers ${status}`);
      JSON.parse(body); // Anything else is not Envoy's.
      return body;
    } catch (error) {
      throw new Failure(
        "environment",
        `Cannot read ${path} of "${url}": ${messageOf(error)}; name Envoy's ` +
          "admin interface, as in --from http://localhost:9901",
        { cause: error },
      );
    }
  };
  const info = JSON.parse(await read("/server_info"));
  return {
    configuration: readConfiguration(
      await read("/config_dump?include_eds"),
      url,
    ),
    readNamed: () => undefined,
    concurrency: Number(info?.command_line_options?.concurrency) || undefined,
  };
}

/** What Envoy says; undefined if it was not asked. */
async function verdictOn(
  { configuration, validateFrom }: Input,
  { mustValidate, isUnasked }: Flags,
): Promise<Verdict | undefined> {
  if (isUnasked) return undefined;
  const path = mustValidate
    ? await requireEnvoy("--validate")
    : (await findToolHere("envoy"))?.path;
  if (path === undefined) return undefined;
  if (validateFrom === undefined) {
    if (!mustValidate) return undefined;
    throw new Failure(
      "environment",
      `Cannot validate ${configuration.name}: it is no file that Envoy starts ` +
        "with; leave out --validate",
    );
  }
  try {
    return await validateWithEnvoy(
      path,
      validateFrom,
      plainOf(configuration.tree),
    );
  } catch (error) {
    if (mustValidate || !(error instanceof Failure)) throw error;
    return { kind: "unknown", sentence: error.message };
  }
}
