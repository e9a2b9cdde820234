/**
 * The settings of a load test, read from environment variables, a row each, by
 * k6's scripts and, before it starts anything, by the command `load`.
 */
import { messageOf } from "../errors.ts";
import { editDistance } from "../nearest.ts";
import { type Row, type SettingName, SETTINGS } from "./setting_rows.ts";
import { type ShapeName, SHAPES } from "./shapes.ts";

/** What only some scripts read. */
const SPECIAL: ReadonlySet<string> = new Set(
  Object.values(SHAPES).flatMap(({ reads }) => reads),
);

/** The settings of a run; those its script does not read have defaults. */
export type LoadSettings =
  & {
    readonly [K in SettingName]: ReturnType<(typeof SETTINGS)[K]["parse"]>;
  }
  & {
    /** The load test that they are for. */
    readonly shape: ShapeName;
    /** What is wrong with them, a clause each; if anything, do not start. */
    readonly problems: string[];
    /** Variables that only other load tests read. */
    readonly unread: readonly string[];
  };

/** Variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings of a load test. It does not throw, since k6 would print a
 * stack trace: everything wrong is listed in `problems`.
 *
 * @param env The whole environment. A name close to a setting's is refused as
 * misspelt.
 */
export function readLoadSettings(
  shape: ShapeName,
  env: Variables,
): LoadSettings {
  const { reads, defaults } = SHAPES[shape];
  const isRead = (name: string) =>
    !SPECIAL.has(name) || reads.some((one) => one === name);
  const problems: string[] = [];
  const values = Object.entries<Row<unknown>>(SETTINGS).map(([name, row]) => {
    const normally = defaults[name as SettingName] ?? row.default;
    const given = isRead(name) ? env[row.env] : undefined;
    try {
      return [name, row.parse(given ?? normally)] as const;
    } catch (error) {
      problems.push(`${row.env} ${messageOf(error)}, not "${given}"`);
      return [name, row.parse(normally)] as const;
    }
  });
  const known = Object.entries(SETTINGS)
    .filter(([name]) => isRead(name)).map(([, { env }]) => env as string);
  problems.push(...Object.keys(env).flatMap((name) => misspelt(name, known)));
  const unread = VARIABLES.filter((name) =>
    env[name] !== undefined && !known.includes(name)
  );
  return {
    ...Object.fromEntries(values),
    shape,
    problems,
    unread,
  } as unknown as LoadSettings;
}

/** Every load test's variables. */
const VARIABLES: readonly string[] = Object.values(SETTINGS)
  .map(({ env }) => env);

/**
 * A complaint about a variable that is most likely a misspelt setting. As the
 * environment has unrelated variables, it must begin like the setting (DATE is
 * not RATE) with one mistake, or two if it is long; or differ only in case or
 * unit.
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
  // Every k6 VU compares all variables, so cheap checks come first.
  return Math.abs(name.length - setting.length) <= mistakesMax &&
    editDistance(name, setting) <= mistakesMax;
}
