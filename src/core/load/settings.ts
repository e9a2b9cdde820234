/**
 * What a load test is asked for: variables of the environment, a row each.
 * k6's scripts read them, and so does the command `load` before it starts
 * anything.
 */
import { messageOf } from "../errors.ts";
import { editDistance } from "../nearest.ts";
import { type Row, type SettingName, SETTINGS } from "./setting_rows.ts";
import { type ShapeName, SHAPES } from "./shapes.ts";

/** What every script reads. */
const COMMON: readonly SettingName[] = [
  "target",
  "l7Target",
  "ratePerS",
  "durationMs",
  "warmupMs",
  "servers",
  "tolerance",
  "p95Ms",
  "p99Ms",
  "vus",
  "deadlineMs",
  "workMs",
  "reference",
  "report",
  "record",
];

/** The settings of a run. Those that its script does not read are defaults. */
export type LoadSettings =
  & {
    readonly [K in SettingName]: ReturnType<(typeof SETTINGS)[K]["parse"]>;
  }
  & {
    /** What is wrong with them, a clause each; the run must not start then. */
    readonly problems: string[];
    /** Variables that are settings of other load tests only. */
    readonly unread: readonly string[];
  };

/** Variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings of a load test. Nothing is thrown, since k6 would add a
 * stack to it: whatever is wrong is in `problems`, all of it.
 *
 * @param env All variables; most are of others. One whose name is nearly a
 * setting's is refused as misspelt.
 */
export function readLoadSettings(
  shape: ShapeName,
  env: Variables,
): LoadSettings {
  const { reads, defaults } = SHAPES[shape];
  const read = new Set<string>([...COMMON, ...reads]);
  const problems: string[] = [];
  const values = Object.entries<Row<unknown>>(SETTINGS).map(([name, row]) => {
    const normally = defaults[name as SettingName] ?? row.default;
    const given = read.has(name) ? env[row.env] : undefined;
    try {
      return [name, row.parse(given ?? normally)] as const;
    } catch (error) {
      problems.push(`${row.env} ${messageOf(error)}, not "${given}"`);
      return [name, row.parse(normally)] as const;
    }
  });
  const known = Object.entries(SETTINGS)
    .filter(([name]) => read.has(name)).map(([, { env }]) => env as string);
  problems.push(...Object.keys(env).flatMap((name) => misspelt(name, known)));
  const unread = VARIABLES.filter((name) =>
    env[name] !== undefined && !known.includes(name)
  );
  return {
    ...Object.fromEntries(values),
    problems,
    unread,
  } as unknown as LoadSettings;
}

/** Every setting's variable, of all load tests. */
const VARIABLES: readonly string[] = Object.values(SETTINGS)
  .map(({ env }) => env);

/**
 * A complaint about a variable that is most likely a misspelt setting. Others
 * have variables too, so it must begin like the setting (DATE is not RATE) and
 * have one mistake, or two if it is long; or be the setting but for its case,
 * or for its unit.
 */
function misspelt(name: string, known: readonly string[]): readonly string[] {
  if (VARIABLES.includes(name)) return [];
  const upper = name.toUpperCase();
  const near = known.find((setting) =>
    upper === setting || name === `${setting}_MS` ||
    // "WORK" is a variable of many clusters.
    setting !== "WORK_MS" && setting === `${name}_MS` ||
    name[0] === setting[0] && name.length > 2 && isNear(name, setting)
  );
  return near === undefined
    ? []
    : [`${name} is not a setting; did you mean ${near}?`];
}

function isNear(name: string, setting: string): boolean {
  const mistakesMax = setting.length < 8 ? 1 : 2;
  // Every VU of k6 compares all variables, so what is cheap comes first.
  return Math.abs(name.length - setting.length) <= mistakesMax &&
    editDistance(name, setting) <= mistakesMax;
}
