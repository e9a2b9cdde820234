/** The command `experiment doctor FILE`. */
import { EXIT_CODES, Failure } from "../core/errors.ts";
import { type FlagRows, helpText, parseFlags } from "../core/flags.ts";
import { commandWords } from "../io/build.ts";
import { readText } from "../io/files.ts";
import { print } from "../io/terminal.ts";
import { parseModel } from "../doctor/model.ts";
import type { Finding, Rule } from "../doctor/rule.ts";
import { DISCOVERY_RULES } from "../doctor/rules_discovery.ts";
import { RESILIENCE_RULES } from "../doctor/rules_resilience.ts";

/** Every pitfall that the doctor knows. */
export const DOCTOR_RULES: readonly Rule[] = [
  ...DISCOVERY_RULES,
  ...RESILIENCE_RULES,
];

const DOCTOR_FLAGS = {
  services: {
    name: "services",
    placeholder: "NAMES",
    help:
      "Services that servers register, comma-separated; those of the routes " +
      "unless given",
    default: [] as readonly string[],
    parse: (text: string) => text.split(",").map((name) => name.trim()),
  },
} as const satisfies FlagRows;

const ABOUT = `Reads an Envoy configuration and reports the known pitfalls \
that it has. Exit code 0 if it has
none, ${EXIT_CODES.failed} if it has some.`;

/** A pitfall that was found. */
export interface Diagnosis {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
}

/**
 * Examines a configuration.
 *
 * @param text YAML.
 * @param name The file's name, for error messages.
 * @param services Services that servers register; those of the routes if empty.
 * @throws {Failure} `environment` when it cannot be examined.
 */
export function examine(
  text: string,
  name: string,
  services: readonly string[] = [],
): readonly Diagnosis[] {
  const model = parseModel(text, name);
  return DOCTOR_RULES
    .map((rule) => ({ rule, findings: rule.find(model, services) }))
    .filter(({ findings }) => findings.length > 0);
}

/**
 * Runs the command.
 *
 * @param argv The arguments after "doctor".
 * @returns The exit code.
 */
export async function doctor(argv: readonly string[]): Promise<number> {
  const { values, positionals, help } = parseFlags(DOCTOR_FLAGS, argv, {
    positionalsMax: 1,
  });
  if (help) {
    print(helpText("experiment doctor FILE", ABOUT, DOCTOR_FLAGS));
    return 0;
  }
  const [file] = positionals;
  if (file === undefined) {
    throw new Failure(
      "usage",
      "doctor needs a file: experiment doctor envoy.yaml",
    );
  }
  const diagnoses = examine(
    await readText(file, "name an Envoy configuration"),
    file,
    values.services,
  );
  for (const { rule, findings } of diagnoses) {
    for (const { field, now } of findings) print(`${field} is ${now}`);
    print(`  ${rule.why}.`);
    print(`  See it: ${commandWords()} experiment run ${rule.experiment}`);
  }
  print(
    diagnoses.length === 0
      ? `${file}: none of ${DOCTOR_RULES.length} known pitfalls`
      : `${file}: ${diagnoses.length} of ${DOCTOR_RULES.length} known pitfalls`,
  );
  return diagnoses.length === 0 ? 0 : EXIT_CODES.failed;
}
