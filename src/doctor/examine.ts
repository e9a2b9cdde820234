/** Examines a configuration by every rule. */
import { Failure } from "../core/errors.ts";
import type { Configuration } from "./configuration.ts";
import type { Place } from "./message.ts";
import {
  type Circumstances,
  followCalls,
  type ReadNamed,
  type Unseen,
} from "./model.ts";
import { offsetAt } from "./yaml_tree.ts";
import type { Problem } from "./proto_json.ts";
import type { Finding, Rule } from "./rule.ts";
import { CALL_RULES, hiddenPolicies } from "./rules_calls.ts";
import { DISCOVERY_RULES } from "./rules_discovery.ts";
import { EDGE_RULES } from "./rules_edge.ts";
import { GATEWAY_RULES } from "./rules_gateway.ts";

/** What Envoy itself says; its findings do not come from the model. */
const REFUSED: Rule = {
  id: "refused",
  severity: "wrong",
  why: "Envoy refuses this configuration, and does not start with it",
  change: "# correct the field that is named",
  experiment: {
    instead: "envoy --mode validate -c your-envoy.yaml says the same",
  },
  find: () => [],
};

/** Every pitfall that the doctor knows, the most basic first. */
export const DOCTOR_RULES: readonly Rule[] = [
  REFUSED,
  ...DISCOVERY_RULES,
  ...CALL_RULES,
  ...EDGE_RULES,
  ...GATEWAY_RULES,
];

/** A pitfall that was found. */
export interface Diagnosis {
  readonly rule: Rule;
  readonly findings: readonly Finding[];
}

/** Everything that is to say of a configuration. */
export interface Examination {
  readonly name: string;
  readonly diagnoses: readonly Diagnosis[];
  /** What could not be followed, and so is not known to be healthy. */
  readonly unseen: readonly Unseen[];
  readonly notes: readonly string[];
}

/** What Envoy says of a configuration, where it was asked. */
export type Verdict =
  | { readonly kind: "accepted" }
  | {
    readonly kind: "refused";
    readonly sentence: string;
    /** Where, if it is known. */
    readonly path: readonly (string | number)[] | undefined;
  }
  /** It could not judge, for example without a file that is elsewhere. */
  | { readonly kind: "unknown"; readonly sentence: string };

/** A value that is to be filled in, as in "${PORT}" or "{{ .Values.port }}". */
const PLACEHOLDER = /\$\{\w+|^\$\w+$|\{\{|<%/;

/**
 * Examines a configuration.
 *
 * @param verdict Envoy's own, which overrides what the schema says.
 * @throws {Failure} `environment` when nothing in it can be followed.
 */
export function examine(
  configuration: Configuration,
  circumstances: Circumstances,
  readNamed: ReadNamed,
  verdict?: Verdict,
): Examination {
  const { name, problems, bootstrap } = configuration;
  const blank = problems.find(({ text }) => PLACEHOLDER.test(text));
  if (blank !== undefined) {
    throw new Failure(
      "environment",
      `Cannot examine ${name}: ${sentenceOf(blank)}: it is a template; fill ` +
        "it in and name the result",
    );
  }
  const model = followCalls(configuration, circumstances, readNamed);
  const [first] = problems;
  const isNothingSeen = model.routes.length === 0 &&
    model.tcpRoutes.length === 0 && !configuration.isGatewayOnly;
  if (isNothingSeen && first !== undefined && verdict?.kind !== "accepted") {
    throw new Failure(
      "environment",
      `Cannot examine ${name}: Envoy refuses it, and no route can be seen: ` +
        `${sentenceOf(first)}; correct it there`,
    );
  }
  const unseen = [
    ...model.unseen,
    ...hiddenPolicies(model),
    ...(isNothingSeen
      ? [{ place: bootstrap.place, what: "no route for gRPC calls is in it" }]
      : []),
  ];
  const refusals = verdict?.kind === "accepted"
    ? []
    : problems.map((problem) => ({
      of: "",
      place: problem.place,
      now: problem.what,
    }));
  const byEnvoy = verdict?.kind === "refused"
    ? [{
      of: "",
      place: {
        ...bootstrap.place,
        offset: offsetAt(configuration.tree, verdict.path ?? []),
      },
      now: verdict.sentence,
    }]
    : refusals;
  return {
    name,
    unseen,
    notes: [
      ...configuration.notes,
      ...(verdict?.kind === "unknown" ? [verdict.sentence] : []),
    ],
    diagnoses: DOCTOR_RULES
      .map((rule) => ({
        rule,
        findings: rule === REFUSED ? byEnvoy : inOrder(rule.find(model)),
      }))
      .filter(({ findings }) => findings.length > 0),
  };
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => a.place.offset - b.place.offset);
}

/** For example: line 3: clusters[0].type: there is no such field */
function sentenceOf({ place, what }: Problem): string {
  return `${whereOf(place)}: ${place.path}: ${what}`;
}

/** For example: line 3, column 5 */
function whereOf({ source, offset }: Place): string {
  const { line, column } = source.positionOf(offset);
  return `line ${line}, column ${column}`;
}
