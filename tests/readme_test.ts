/** The README says what the programs say, and its commands work. */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { runToEnd } from "../src/io/processes.ts";
import { waitUntil } from "../src/io/wait.ts";
import { start, startSource } from "./programs.ts";
import { freePort } from "./stacks.ts";

const README = await Deno.readTextFile("README.md");
const FLAGS = await Deno.readTextFile("docs/flags.md");

/** The fenced block behind a heading. */
function blockUnder(heading: string): string {
  const from = FLAGS.indexOf(`\n## ${heading}\n`);
  assert.notEqual(from, -1, `docs/flags.md has no heading "${heading}"`);
  return /```text\n([^]*?)```/.exec(FLAGS.slice(from))?.[1] ?? "";
}

for (
  const [heading, program, args] of [
    ["`./denow task up`", "lab", ["up", "--help"]],
    ["`./denow task client`", "client", ["--help"]],
    ["`./denow task server`", "server", ["--help"]],
    ["`./denow task experiment`", "lab", ["experiment", "--help"]],
    [
      "`./denow task experiment report`",
      "lab",
      ["experiment", "report", "--help"],
    ],
    [
      "`./denow task experiment compare`",
      "lab",
      ["experiment", "compare", "--help"],
    ],
    ["`./denow task lesson`", "lab", ["lesson", "--help"]],
    ["`./denow task doctor`", "lab", ["doctor", "--help"]],
    ["`./denow task reports`", "lab", ["reports", "--help"]],
    ["`./denow task check-machine`", "lab", ["check", "--help"]],
    ["`./denow task serve`", "lab", ["serve", "--help"]],
    ["`./denow task ctl`", "lab", ["ctl", "--help"]],
  ] as const
) {
  Deno.test(`docs: the flags under ${heading} are the program's`, async () => {
    const run = startSource(program, args);
    assert.equal(await run.ended, 0);
    assert.equal(blockUnder(heading), run.text());
  });
}

Deno.test("README: every task that it names exists", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json")) as {
    tasks: Readonly<Record<string, unknown>>;
  };
  const named = [...README.matchAll(/(?:denow|deno) task ([a-z][a-z:-]*)/g)]
    .map(([, name]) => name ?? "");
  assert.ok(named.length > 5);
  assert.deepEqual(named.filter((name) => !(name in tasks)), []);
});

/** Files that documents name in backticks, from the project's folder. */
const NAMED =
  /`((?:\.ci|bootstrap|deploy|docs|experiments|loadtest|proto|src|tests|tools|workshop)\/[\w./*-]*)`/g;

/** What is there for readers; lessons are read in the page, too. */
const DOCUMENTS = [
  ...["README.md", "CONTRIBUTING.md", "loadtest/README.md"],
  ...["workshop/INSTRUCTOR.md", "workshop/SHEET.md"],
  ...[...Deno.readDirSync("docs")].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")),
];

for (const document of DOCUMENTS) {
  Deno.test(`${document}: every file that it links or names exists`, async () => {
    const text = await Deno.readTextFile(document);
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      .map(([, path]) => join(dirname(document), path ?? ""));
    const named = [...text.matchAll(NAMED)].map(([, path]) => path ?? "");
    for (const path of [...links, ...named]) {
      // "src/X.ts" stands for any of them.
      if (/\/X\b/.test(path)) continue;
      const [folder, name] = [dirname(path), basename(path)];
      if (!name.includes("*")) {
        await Deno.stat(path); // Throws with the path in its message.
        continue;
      }
      const pattern = new RegExp(
        `^${name.replaceAll(".", "\\.").replaceAll("*", ".*")}$`,
      );
      const found = [...Deno.readDirSync(folder)]
        .some((entry) => pattern.test(entry.name));
      assert.ok(found, `nothing is called ${path}`);
    }
  });
}

Deno.test("docs: every dependency has its reason", async () => {
  const text = await Deno.readTextFile("docs/reference.md");
  const packages = Object.keys(config.imports)
    // Types of k6's modules and of another package.
    .filter((name) => !/^(k6\/?$|@types\/)/.test(name));
  assert.ok(packages.length >= 10);
  const missing = packages.filter((name) => !text.includes(`\`npm:${name}\``));
  assert.deepEqual(missing, []);
});

Deno.test("CONTRIBUTING: its tree has every folder", async () => {
  const text = await Deno.readTextFile("CONTRIBUTING.md");
  const tree = /\n```text\n(denow [^]*?)\n```/.exec(text)?.[1] ?? "";
  const { stdout } = await runToEnd("git", ["ls-files"]);
  const folders = stdout.split("\n").flatMap((path) =>
    /^(?:src\/)?[^/]+\//.exec(path)?.[0] ?? []
  );
  const missing = [...new Set(folders)]
    .filter((folder) => !tree.includes(`\n${folder}`));
  assert.deepEqual(missing, []);
});

/** The first line of a block that runs a task, without its comment. */
function command(name: string): string {
  const pattern = new RegExp(`^(\\./denow task ${name}\\b[^#\\n]*)`, "m");
  return pattern.exec(README)?.[1]?.trim() ?? "";
}

Deno.test("README: the first run fetches what it says", () => {
  const { deno, packages, envoy } = config.toolMegabytes;
  const all = [deno, packages, envoy].map(Number)
    .reduce((sum, size) => sum + size);
  const said = `The first run fetches ${all} MB (Deno ${deno}, npm packages ` +
    `${packages}, Envoy ${envoy})`;
  assert.ok(README.replaceAll("\n", " ").includes(said), said);
});

Deno.test("README: its first command, typed, shows what it shows", async () => {
  const ports = [
    ...["--port", freePort(), "--admin-port", freePort()],
    ...["--server-port", freePort(), "--page-port", freePort()],
  ];
  const run = start("sh", ["-c", `exec ${command("up")} ${ports.join(" ")}`]);
  await run.printed(/call 6 /);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
  // The same lines as in the README, but for ports and times.
  const shape = (text: string) =>
    new Set(
      [...text.matchAll(/^(up|client|server-\d) +\| .*$/gm)].map(([line]) =>
        line.replaceAll(/server-\d/g, "server-N").replaceAll(/[\d.]+/g, "0")
          .replaceAll(/ +/g, " ")
      ),
    );
  const shown = shape(README);
  const printed = shape(run.text());
  assert.ok(shown.size >= 6, "README.md shows too little");
  assert.deepEqual([...shown].filter((line) => !printed.has(line)), []);
});

/** The calls of each server in every line of `up` that sums up a second. */
function sharesIn(text: string): readonly (readonly number[])[] {
  return [...text.matchAll(/^client +\| +\d+ calls +.*?(\d+(?:\/\d+){2})/gm)]
    .map(([, shares = ""]) => shares.split("/").map(Number));
}

function isPinned(shares: readonly number[]): boolean {
  const all = shares.reduce((sum, one) => sum + one);
  const most = Math.max(...shares) / all;
  const others = shares.filter((one) => one / all < 0.25);
  return most > 0.6 && most < 0.73 && others.length === 2;
}

Deno.test("README: the three things to try do what it says", async () => {
  const [kill, beside, scale] = [1, 2, 3].map((number) =>
    new RegExp(`^(\\S.*\\S) +# ${number}$`, "m").exec(README)?.[1] ?? ""
  );
  const page = freePort();
  const run = start("sh", [
    "-c",
    `exec ${command("up")} --port ${freePort()} --admin-port ${freePort()} ` +
    `--server-port ${freePort()} --page-port ${page}`,
  ]);
  await run.printed(/call 1 /);
  // Other tests have an `up`, too; this one is told by the port of its page.
  const type = async (words = "") => {
    const typed = start("sh", ["-c", `exec ${words} --page-port ${page}`]);
    assert.equal(await typed.ended, 0, typed.text());
  };
  await type(kill);
  await run.printed(/server-2 killed; Envoy .* after .* 0 lost/);
  await run.printed(/server-2 +\| serving on[^]*server-2 +\| serving on/);
  await type(beside);
  // Thirds, and all of the others on one server: two thirds of all on that one.
  assert.ok(
    await waitUntil(() => sharesIn(run.text()).some(isPinned), 60_000),
    run.text(),
  );
  await type(scale);
  await run.printed(/scaled from 3 to 5; Envoy sees 5 healthy/);
  run.process.kill("SIGINT");
  assert.equal(await run.ended, 0, run.text());
  assert.deepEqual(run.leftovers(), []);
});
