/** The doctor's answer: for people, for programs, for code hosts (SARIF). */
import { printable } from "../core/printable.ts";
import { commandWords } from "../io/build.ts";
import type { Examination } from "./examine.ts";
import type { Place } from "./message.ts";
import type { Finding, Rule, Severity } from "./rule.ts";

/** Long enough for any sentence, short enough for a terminal. */
const TEXT_UNITS_MAX = 500;

/** What the experiment of a rule has shown with the configuration itself. */
export interface Measured {
  /** Whether its promises held. */
  readonly verdict: "held" | "broken" | "unknown" | "not run";
  /** What held or broke, or why it is unknown. */
  readonly sentence: string;
}

/** What was measured with the configuration itself. */
export interface Measurement {
  /** By the experiment's name. */
  readonly found: ReadonlyMap<string, Measured>;
  /** What was replaced in it for that; one sentence each. */
  readonly replaced: readonly string[];
}

const NOTHING_MEASURED: Measurement = { found: new Map(), replaced: [] };

/** "name:line:column", which editors and terminals open. */
function positionText({ source, offset }: Place): string {
  const { line, column } = source.positionOf(offset);
  return `${clean(source.name)}:${line}:${column}`;
}

function clean(text: string): string {
  return printable(text, TEXT_UNITS_MAX);
}

/** What is wrong, as in `cluster "a": type is LOGICAL_DNS`. */
function findingText({ of, place, now }: Finding): string {
  const field = fieldName(place.path);
  if (of !== "") return `${clean(of)}: ${field} is ${clean(now)}`;
  return field === "" ? clean(now) : `${field}: ${clean(now)}`;
}

/** The last steps of a path, without its elements' numbers. */
function fieldName(path: string): string {
  const steps = path.split(".");
  const from = steps.findLastIndex((step) => step.endsWith("]"));
  return clean(steps.slice(from + 1).join("."));
}

/** Lines for people. */
export function reportLines(
  { name, diagnoses, unseen, notes }: Examination,
  rulesCount: number,
  measured: Measurement = NOTHING_MEASURED,
): readonly string[] {
  const lines = notes.map((note) => `${clean(name)}: ${clean(note)}`);
  for (const { rule, findings } of diagnoses) {
    for (const finding of findings) {
      lines.push(
        `${positionText(finding.place)}: ${rule.severity}: ${
          findingText(finding)
        } [${rule.id}]`,
      );
    }
    lines.push(...explanation(rule).map((line) => `  ${line}`));
    lines.push(...measuredTexts(rule, measured).map((line) => `  ${line}`));
  }
  for (const { place, what } of unseen) {
    lines.push(`${positionText(place)}: not seen: ${clean(what)}`);
  }
  const count = diagnoses.length === 0
    ? `none of ${rulesCount} known pitfalls`
    : `${diagnoses.length} of ${rulesCount} known pitfalls`;
  const where = unseen.length === 0
    ? ""
    : ` in what can be seen; ${unseen.length} ${
      unseen.length === 1 ? "part" : "parts"
    } cannot`;
  return [...lines, `${clean(name)}: ${count}${where}`];
}

/** What was measured of a rule, as a sentence without its end; or nothing. */
function measuredTexts(
  rule: Rule,
  measured: Measurement,
): readonly string[] {
  const name = experimentOf(rule) ?? "";
  const found = measured.found.get(name);
  if (found === undefined) return [];
  const what = {
    // Which of its settings broke it is for the reader to judge.
    broken: `Measured with this file, ${name} broke its promise`,
    held: `Measured with this file, ${name} kept all of its promises`,
    unknown: `Measured with this file, ${name} cannot tell`,
    "not run": "Not measured",
  }[found.verdict];
  return [`${what}: ${clean(found.sentence)}`];
}

/** Why a pitfall matters, what to change, and what shows it. */
export function explanation(rule: Rule): readonly string[] {
  return [
    `${rule.why}.`,
    ...rule.change.split("\n").map((line) => `  ${line}`),
    `See it: ${seeIt(rule)}`,
  ];
}

/** The experiment that shows a pitfall; undefined where something else does. */
export function experimentOf({ experiment }: Rule): string | undefined {
  return typeof experiment === "string" ? experiment : undefined;
}

/** How to see a pitfall: a command, or a sentence without its end. */
function seeIt({ experiment }: Rule): string {
  return typeof experiment === "object"
    ? experiment.instead
    : `${commandWords()} experiment run ${experiment}`;
}

/** The answer as JSON. */
export function reportJson(
  examination: Examination,
  measured: Measurement = NOTHING_MEASURED,
): string {
  const at = ({ path, source, offset }: Place) => ({
    file: source.name,
    ...source.positionOf(offset),
    path,
  });
  const { name, notes, diagnoses, unseen } = examination;
  return JSON.stringify(
    {
      name,
      notes,
      findings: diagnoses.flatMap(({ rule, findings }) =>
        findings.map((finding) => ({
          rule: rule.id,
          severity: rule.severity,
          ...at(finding.place),
          of: finding.of,
          now: finding.now,
          why: rule.why,
          change: rule.change,
          experiment: experimentOf(rule) ?? null,
          seeIt: seeIt(rule),
          measured: measured.found.get(experimentOf(rule) ?? "") ?? null,
        }))
      ),
      unseen: unseen.map(({ place, what }) => ({ ...at(place), what })),
      replaced: measured.replaced,
    },
    undefined,
    2,
  );
}

/** SARIF's levels, by severity. */
const LEVELS: Readonly<Record<Severity, string>> = {
  wrong: "error",
  risky: "warning",
  "worth knowing": "note",
};

/** The answer as SARIF 2.1.0, which code hosts and editors show. */
export function reportSarif(
  { diagnoses, unseen }: Examination,
  rules: readonly Rule[],
  version: string,
  measured: Measurement = NOTHING_MEASURED,
): string {
  const location = (place: Place) => {
    const { line, column } = place.source.positionOf(place.offset);
    return [{
      physicalLocation: {
        artifactLocation: { uri: encodeURI(place.source.name) },
        region: { startLine: line, startColumn: column },
      },
      logicalLocations: [{ fullyQualifiedName: place.path }],
    }];
  };
  const results = diagnoses.flatMap(({ rule, findings }) =>
    findings.map((finding) => ({
      ruleId: rule.id,
      level: LEVELS[rule.severity],
      message: {
        text: [
          `${findingText(finding)}. ${rule.why}.`,
          ...measuredTexts(rule, measured).map((text) => `${text}.`),
        ].join(" "),
      },
      locations: location(finding.place),
    }))
  );
  const notSeen = unseen.map(({ place, what }) => ({
    ruleId: "not-seen",
    level: "note",
    kind: "open",
    message: { text: `Not seen: ${clean(what)}.` },
    locations: location(place),
  }));
  return JSON.stringify(
    {
      $schema: "https://json.schemastore.org/sarif-2.1.0.json",
      version: "2.1.0",
      runs: [{
        tool: {
          driver: {
            name: "grpc-demo doctor",
            version,
            rules: rules.map(({ id, why, change, severity }) => ({
              id,
              shortDescription: { text: `${why}.` },
              help: { text: change },
              defaultConfiguration: { level: LEVELS[severity] },
            })),
          },
        },
        results: [...results, ...notSeen],
        properties: { replaced: measured.replaced },
      }],
    },
    undefined,
    2,
  );
}
