/** The house rules that a program can check. Each complaint names a remedy. */

/** A file of the project. */
export interface SourceFile {
  /** Relative to the project's folder, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** What a rule has against a file. */
export type Complaint = string;

/** A rule looks at all files at once. */
export type Rule = (files: readonly SourceFile[]) => readonly Complaint[];

/** Longer files are likely to hold more than one idea. */
const FILE_LINES_MAX = 400;

/** TypeScript files too long to take in at once: a hint, not a rule. */
export function longFiles(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => path.endsWith(".ts"))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
    .filter(({ lines }) => lines > FILE_LINES_MAX)
    .map(({ path, lines }) =>
      `${path} has ${lines} lines, more than ${FILE_LINES_MAX}; does it hold more than one idea?`
    );
}

/**
 * The layers. A file may import from its own and from those its row names;
 * every file is in one.
 */
const LAYERS: readonly (readonly [own: RegExp, allowed: readonly RegExp[]])[] =
  [
    [/^src\/core\//, []],
    [/^src\/io\//, [/^src\/core\//]],
    [/^src\/server\//, [/^src\/(io|core)\//]],
    [/^src\/client\//, [/^src\/(io|core)\//]],
    [/^src\/stack\//, [/^src\/(io|core)\//]],
    [/^src\/experiment\//, [/^src\/(stack|io|core)\//]],
    [/^src\/doctor\//, [/^src\/(io|core)\//]],
    [/^src\/adapt\//, [/^src\/(doctor|stack|io|core)\//]],
    [/^src\/load\//, [/^src\/(stack|io|core)\//]],
    [/^src\/control\//, [/^src\/(experiment|stack|io|core)\//]],
    [/^src\/lesson\//, [/^src\/(experiment|stack|io|core)\//]],
    [/^src\/kit\//, [/^src\/(stack|io|core)\//]],
    [/^src\/page\//, [/^src\/(control|lesson|io|core)\//]],
    [/^src\/report\//, [/^src\/(experiment|io|core)\//]],
    [
      /^src\/lab\//,
      [
        /^src\/(page|control|lesson|kit|load|adapt|doctor|report|experiment)\//,
        /^src\/(stack|io|core)\//,
      ],
    ],
    // Programs that controls start in place of a server.
    [/^experiments\/control\//, [/^src\/(server|io|core)\//]],
    [
      /^experiments\//,
      [/^src\/experiment\/authors\.ts$/, /^src\/(stack|io|core)\//],
    ],
    [
      /^workshop\//,
      [/^experiments\//, /^src\/(lesson|experiment|stack|io|core)\//],
    ],
    [/^loadtest\//, [/^src\/core\//]],
    [/^src\/server\.ts$/, [/^src\/(server|io|core)\//]],
    [/^src\/client\.ts$/, [/^src\/(client|io|core)\//]],
    [/^src\/certificates\.ts$/, [/^src\/(stack|io|core)\//]],
    [
      /^src\/lab\.ts$/,
      [/^src\/(lab|io|core)\//, /^(experiments|workshop)\//],
    ],
    // No part of the product imports these.
    [/^bootstrap\//, [/^src\/(io|core)\//]],
    [/^tools\/checks\//, []],
    [/^tools\/build\//, [/^src\/(io|core)\//, /^bootstrap\//]],
    [
      /^tools\/kit\//,
      [/^src\/(stack|io|core)\//, /^bootstrap\//, /^tools\/build\//],
    ],
    [/^tools\/gate\//, [/^src\/(server|stack|io|core)\//]],
    [/^tools\/soak\//, [/^src\/(stack|io|core)\//]],
    [
      /^tools\/[^/]+$/,
      [
        /^src\/(doctor|lesson|experiment|stack|io|core)\//,
        /^workshop\//,
        /^bootstrap\//,
        /^tools\/(checks|build|kit|gate|soak)\//,
      ],
    ],
    [/^tests\//, [/./]],
  ];

/** Imports point one way. */
export function importDirection(files: readonly SourceFile[]): Complaint[] {
  return files.flatMap(({ path, text }) => {
    if (!path.endsWith(".ts")) return [];
    const layer = LAYERS.find(([own]) => own.test(path));
    if (layer === undefined) {
      return [`${path} is in no layer; add a row to tools/checks/rules.ts`];
    }
    if (path.endsWith("_test.ts")) return [];
    const [own, allowed] = layer;
    return importsOf(path, text)
      .filter((target) => target.endsWith(".ts"))
      .filter((target) => ![own, ...allowed].some((to) => to.test(target)))
      .map((target) =>
        `${path} imports ${target}, which is above or beside it; move what ` +
        "both need to a lower layer"
      );
  });
}

/** No import cycles. */
export function importCircles(files: readonly SourceFile[]): Complaint[] {
  const targets = new Map(
    files.filter(({ path }) => path.endsWith(".ts"))
      .map(({ path, text }) => [path, importsOf(path, text)]),
  );
  const reachedFrom = (path: string): ReadonlySet<string> => {
    const reached = new Set<string>();
    const waiting = [path];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      for (const target of targets.get(at) ?? []) {
        if (reached.has(target)) continue;
        reached.add(target);
        waiting.push(target);
      }
    }
    return reached;
  };
  const reached = new Map(
    [...targets.keys()].map((path) => [path, reachedFrom(path)]),
  );
  const circles = new Set(
    [...reached].filter(([path, from]) => from.has(path)).map(([path, from]) =>
      [...from].filter((other) => reached.get(other)?.has(path)).sort()
        .join(", ")
    ),
  );
  return [...circles].map((circle) =>
    `${circle} import each other; move what they share to a file of its own`
  );
}

function importsOf(path: string, text: string): readonly string[] {
  const folder = `file:///${path}`;
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)]
    .map(([, relative]) => new URL(relative ?? "", folder).pathname.slice(1));
}

/** Words that must not be in the project, and why. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [
    /registry\.npmjs\.org|pypi\.org|proxy\.golang\.org|deb\.debian\.org/,
    "names a package registry's host; let the package client decide",
  ],
  [/(^|[\s"'(=])\/(work|root|home\/[a-z]+)\//m, "names a path of one machine"],
];

/** Nothing specific to one machine or one registry is in the project. */
export function bannedWords(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => !path.startsWith("tools/checks/"))
    .filter(({ path }) => path !== "deno.lock")
    .flatMap(({ path, text }) =>
      BANNED
        .filter(([word]) => word.test(text))
        .map(([, why]) => `${path} ${why}`)
    );
}

/**
 * A command in backticks, in a string, without what is typed before its verb
 * here: that differs in a clone, a kit and a binary.
 */
const BARE_COMMAND =
  /(?:\\`|(?<=[\s([])"[^"`\n]*`)((?:deno task )?(?:up|down|ctl|load|experiment|lesson|doctor|reports|check|serve) [a-z0-9-][^`\\\n]*)/g;

/** Hints say a command as it is typed. */
export function bareCommands(files: readonly SourceFile[]): Complaint[] {
  return files
    .filter(({ path }) => /^(src|loadtest)\/.*\.[tj]s$/.test(path))
    .filter(({ path }) => !path.endsWith("_test.ts"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(BARE_COMMAND)].map(([, command]) =>
        `${path} says \`${command}\`, which nobody can type; begin it with ` +
        "commandWords() of src/io/build.ts"
      )
    );
}

/** Files that repeat a version of deno.json because they must. */
const VERSIONED: readonly (readonly [path: string, RegExp, tool: string])[] = [
  ["Dockerfile", /denoland\/deno:[a-z]*-?(\d+\.\d+\.\d+)/g, "deno"],
  ["Dockerfile", /grafana\/k6:(\d+\.\d+\.\d+)/g, "k6"],
  [
    "deploy/kubernetes/base/kustomization.yaml",
    /newTag: [a-z]*-v(\d+\.\d+\.\d+)/g,
    "envoy",
  ],
  [
    "deploy/kubernetes/gateway/kustomization.yaml",
    /Envoy Gateway (\d+\.\d+\.\d+)/g,
    "envoy-gateway",
  ],
  ["docs/kubernetes.md", /Envoy Gateway (\d+\.\d+\.\d+)/g, "envoy-gateway"],
  ["compose.yaml", /envoyproxy\/envoy:[a-z]*-v(\d+\.\d+\.\d+)/g, "envoy"],
  ["envoy.yaml", /for Envoy (\d+\.\d+\.\d+)/g, "envoy"],
];

/** Versions repeated in other files match deno.json. */
export function versionDrift(files: readonly SourceFile[]): Complaint[] {
  const config = files.find(({ path }) => path === "deno.json");
  const { toolVersions } = JSON.parse(config?.text ?? "{}") as {
    toolVersions: Readonly<Record<string, string>>;
  };
  return VERSIONED.flatMap(([path, pattern, tool]) => {
    const text = files.find((file) => file.path === path)?.text ?? "";
    const found = [...text.matchAll(pattern)].map(([, version]) => version);
    if (found.length === 0) {
      return [
        `${path} names no version of ${tool}; fix the check or the file`,
      ];
    }
    return found
      .filter((version) => version !== toolVersions[tool])
      .map((version) =>
        `${path} names ${tool} ${version}, but deno.json pins ` +
        `${toolVersions[tool]}; make them agree`
      );
  });
}

/** Every rule. */
export const RULES: Readonly<Record<string, Rule>> = {
  importDirection,
  importCircles,
  bannedWords,
  bareCommands,
  versionDrift,
};
