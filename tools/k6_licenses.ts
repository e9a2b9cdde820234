/**
 * Makes tools/kit/licenses/k6_modules.txt: the licences of every Go module that
 * is linked into the pinned k6, as the modules have them. After changing k6's
 * version:
 *
 *   ./denow run -q -P=build tools/k6_licenses.ts
 */
import { Failure } from "../src/core/errors.ts";
import { helpText, parseFlags } from "../src/core/flags.ts";
import { runToEnd } from "../src/io/processes.ts";
import { listenForStop, runProgram } from "../src/io/program.ts";
import { print, printError } from "../src/io/terminal.ts";
import { findTool } from "../src/io/tools.ts";
import { findGo } from "../src/io/tools/go.ts";
import { GO, TOOLS } from "../src/io/tools/table.ts";
import { type GoModule, goModules } from "./kit/go_modules.ts";

const TARGET = new URL("./kit/licenses/k6_modules.txt", import.meta.url);

const LICENSE_NAME = /^(licen[cs]e|copying|notice|patents)/i;

/** Other programs' packages, and what tests read. */
const LEFT_OUT = new Set(["npm", "testdata", ".git"]);

const HEAD = `The licences of the Go modules that are linked into k6, besides \
its own, which is
in k6.txt. A text that several modules have is here once.
`;

/** What `go mod download -json` says of a module. */
interface Downloaded {
  readonly Path: string;
  readonly Dir: string;
  readonly Sum: string;
}

/** The licences in a module's folder and below it, by path. */
function* licensesIn(
  folder: string,
  below = "",
): Generator<readonly [string, string]> {
  const entries = [...Deno.readDirSync(folder + below)]
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = `${below}/${name}`;
    if (isDirectory && !LEFT_OUT.has(name)) yield* licensesIn(folder, path);
    if (isDirectory || !LICENSE_NAME.test(name) || name.endsWith(".go")) {
      continue;
    }
    yield [path, Deno.readTextFileSync(folder + path)];
  }
}

/** All licences: each text with the files that have it, in order. */
function merged(
  files: Iterable<readonly [string, string]>,
): readonly string[] {
  const byWords = new Map<string, { text: string; names: string[] }>();
  for (const [name, text] of files) {
    // Line breaks are not what a licence says.
    const words = text.replaceAll(/\s+/g, " ").trim();
    const same = byWords.get(words) ?? { text, names: [] };
    same.names.push(name);
    byWords.set(words, same);
  }
  return [...byWords.values()].map(({ text, names }) => {
    const lines = text.split("\n").map((line) => line.trimEnd());
    return `${"=".repeat(80)}\n${names.join("\n")}\n\n${
      lines.join("\n").trim()
    }\n`;
  });
}

/** Fetches modules, and checks that they are those of the program. */
async function download(
  modules: readonly GoModule[],
  go: { readonly path: string; readonly env: Readonly<Record<string, string>> },
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<readonly Downloaded[]> {
  const names = modules.map(({ path, version }) => `${path}@${version}`);
  const { code, stdout, stderr } = await runToEnd(go.path, [
    ...["mod", "download", "-json"],
    ...names,
  ], { ...options, env: go.env });
  const found = code === 0
    ? JSON.parse(`[${stdout.replaceAll(/^\}\n\{/gm, "},{")}]`) as Downloaded[]
    : [];
  const other = modules.find(({ path, sum }) =>
    !found.some(({ Path, Sum }) => Path === path && Sum === sum)
  );
  if (other === undefined) return found;
  throw new Failure(
    "environment",
    `Cannot fetch ${other.path} ${other.version} with the checksum that k6 has ` +
      `for it: ${stderr.trim() || "Go gave another one"}; check the network`,
  );
}

async function run(): Promise<number> {
  const { help } = parseFlags({}, Deno.args);
  if (help) {
    const about = `Writes the licences of the Go modules that are linked into \
the pinned k6, for the kit.`;
    print(helpText("k6_licenses.ts", about, {}));
    return 0;
  }
  const { signal } = listenForStop();
  const { path } = await findTool("k6", { onProgress: printError, signal });
  const [, ...modules] = goModules(await Deno.readFile(path));
  const folder = await Deno.makeTempDir({ prefix: "k6-licenses-" });
  try {
    const go = await findGo(TOOLS.k6, {
      folder,
      toolsFolder: folder,
      env: (name) => Deno.env.get(name),
      onProgress: printError,
      signal,
    }, GO);
    const found = await download(modules, go, { cwd: folder, signal });
    const root = await runToEnd(go.path, ["env", "GOROOT"], { env: go.env });
    const files: (readonly [string, string])[] = [
      [
        "Go's standard library",
        Deno.readTextFileSync(`${root.stdout.trim()}/LICENSE`),
      ],
    ];
    for (const { path, version } of modules) {
      const folder = found.find(({ Path }) => Path === path)?.Dir ?? "";
      const own = [...licensesIn(folder)]
        .map(([file, text]) => [`${path} ${version}${file}`, text] as const);
      files.push(
        ...(own.length > 0 ? own : [[
          `${path} ${version}`,
          "This module has no licence file.",
        ]] as const),
      );
    }
    await Deno.writeTextFile(TARGET, [HEAD, ...merged(files)].join("\n"));
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await runProgram("k6_licenses", run);
