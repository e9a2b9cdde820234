/**
 * The kit: made once, then used as in a room without a network, and broken.
 * The same commands are typed in a copy of the source tree.
 */
import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };
import { UNKNOWN_EXIT_CODE } from "../../src/core/load/verdict.ts";
import { sha256OfFile } from "../../src/io/digest.ts";
import { KIT_SUMS, parseSums } from "../../src/io/kit.ts";
import { print } from "../../src/io/terminal.ts";
import { KIT_BYTES_MAX } from "../../tools/kit.ts";
import { goModules } from "../../tools/kit/go_modules.ts";
import { findParts, HOST, type KitTarget } from "../../tools/kit/parts.ts";
import { stageKit } from "../../tools/kit/stage.ts";
import type { Outcome } from "../kit_commands.ts";
import { NETWORKLESS, networklessTest } from "../networkless.ts";
import { copyProject, ROOT, start, startIn } from "../programs.ts";

/** What is promised on a machine at rest; docs/kit.md has measurements. */
const FIRST_REPLY_LIMIT_MS = 3000;

/**
 * How long the lab's own start takes at most on a machine at rest. Where it
 * takes longer just before or after, `up` may take longer in proportion.
 */
const START_AT_REST_MS = 300;

const NAME = `grpc-demo-kit-${config.version}-${HOST}`;

const folder = await Deno.realPath(
  await Deno.makeTempDir({ prefix: "kit-test-" }),
);
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder, { recursive: true });
});

/** Where archives are. */
const dist = `${folder}/dist`;

/** Where the kit is unpacked. */
const place = `${folder}/a path with spaces/${NAME}`;

/** Where programs may leave something, and must not. */
const outside = [`${folder}/home`, `${folder}/tmp`] as const;

/** Root can become another user, who has no name and owns nothing else. */
const isRoot = Deno.uid() === 0;
const USER = "65533";

await Deno.chmod(folder, 0o755);
await run("mkdir", dist, `${folder}/a path with spaces`, ...outside);
await run(
  ...[Deno.execPath(), "task", "--quiet", "kit", "--commit", "c0ffee"],
  ...["--out", dist],
);
await run(
  ...["sh", "-c", 'umask 077; exec tar -xzf "$0" -C "$1"'],
  ...[`${dist}/${NAME}.tar.gz`, `${folder}/a path with spaces`],
);
if (isRoot) await run("chown", "-R", `${USER}:${USER}`, place, ...outside);

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const started = start(command, args);
  assert.equal(await started.ended, 0, started.text());
}

/**
 * Makes all disks read-only but for the folders named, up to "--". Only root
 * may: others' mounts are locked.
 */
const READ_ONLY = [
  ...["sh", "-euc"],
  `
mounts=$(cut -d' ' -f5 /proc/self/mountinfo)
while [ "$1" != -- ]; do mount --bind "$1" "$1"; shift; done
shift
for mount in $mounts; do
  case $mount in /proc* | /sys* | /dev*) continue ;; esac
  mount -o remount,bind,ro "$(printf %b "$mount")"
done
exec "$@"`,
  "sh",
];

const isolatedTest = await networklessTest(
  "the kit's commands without a network",
);

/**
 * Types the commands in a folder, without any network.
 *
 * @param words What is typed before each.
 * @param first What makes the surroundings.
 */
async function typeIn(
  cwd: string,
  words: readonly string[],
  first: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const run = startIn(cwd, [
    ...[...NETWORKLESS, ...first],
    ...[Deno.execPath(), "run", "-q", "-A", "--config", `${ROOT}deno.json`],
    ...[`${ROOT}tests/kit_commands.ts`, dist, ...words],
  ], env);
  assert.equal(await run.ended, 0, run.text());
  return JSON.parse(run.text().trim().split("\n").at(-1) ?? "");
}

/**
 * What each command must say, from source and in the kit, and its exit code. On
 * a busy machine speed, load and experiments may not be judged as held; their
 * other codes are for that alone.
 */
const EXPECTED: readonly (readonly [string, readonly number[], RegExp])[] = [
  [
    "check",
    [0, 1],
    /^ok {6}versions .*\n(ok .*\n){7}(ok {4}|FAILED) +speed .*\ncode: GD1(-[0-9A-Z]+)+\n$/,
  ],
  ["up", [0], /stopping on SIGINT\n/],
  ["ctl status", [0], /server-3/],
  ["ctl scale 4", [0], /^$/],
  ["load", [0, UNKNOWN_EXIT_CODE], /reports\/.*report\.html\n$/],
  ["GET http://127.0.0.1:8000/", [200], /<h2 id="lessons-title">Lessons</],
  ["GET http://127.0.0.1:8000/api/state", [200], /"server-4"/],
  ["up", [0], /stopping on SIGINT\n/],
  ["ctl status --page-port 8100", [0], /server-3/],
  ["GET http://127.0.0.1:8100/api/lessons", [200], /"name":"panic"/],
  [
    "up --discovery eds --port 5100 --server-port 5200 --admin-port 9911 " +
    "--page-port 8100",
    [0],
    /server-3 +\| serving on 127\.0\.0\.1:5202[^]*stopping on SIGINT\n/,
  ],
  ["experiment list", [0], /^name +set +question\n/],
  [
    "experiment run large-replies mutual-tls wrong-health-service",
    [0, 1],
    /((HELD|UNKNOWN) +(large-replies|mutual-tls|wrong-health-service)[^]*){3}report: reports\//,
  ],
  ["reports", [0], /\n2 runs, /],
  [
    "experiment report DIR",
    [0],
    /\nwrong-health-service [^]*\nreport: .*report\.html\n$/,
  ],
  [
    "experiment compare DIR DIR",
    [0],
    /\nwrong-health-service [^]*\nreport: .*report\.html\n$/,
  ],
  ["doctor envoy.yaml", [0], /^envoy\.yaml: none of \d+ known pitfalls\n$/],
  ["lesson list", [0], /^ +lesson +minutes [^]*\n +14 +workers /],
  ["lesson start panic", [0], /\nYour copy .* is my\/05-panic\/envoy\.yaml\n$/],
  ["lesson hint", [0], /^Hint 1 of 3: /],
  ["lesson solve", [0], /my\/05-panic\/envoy\.yaml is solved/],
  [
    "lesson check",
    [0, UNKNOWN_EXIT_CODE],
    /\n(Solved\n`\.\/(demo|denow task) lesson next` starts the next lesson|Cannot tell .*)\n$/,
  ],
  ["lesson next", [0], /^Lesson 6: [^]*\nYour copy .* is my\/06-draining\/en/],
  [
    "lesson reset",
    [0],
    /^my\/06-draining\/envoy\.yaml is as at the start/,
  ],
  [`GET http://127.0.0.1:8070/${NAME}.tar.gz.sha256`, [200], /^[0-9a-f]{64} /],
  [`serve --dir ${dist}`, [0], /only this machine can ask[^]*stopping on /],
];

function assertOutcome(
  { said, firstReplyMs, startMs, leftovers, sharedMemory }: Outcome,
): void {
  const asked = said.map(({ command }) => command);
  assert.deepEqual(asked, [...EXPECTED.map(([command]) => command), "down"]);
  EXPECTED.forEach(([command, codes, pattern], index) => {
    const { code = -1, text = "" } = said[index] ?? {};
    assert.match(text, pattern, `${command}: ${text}`);
    assert.ok(codes.includes(code), `${command} gave ${code}: ${text}`);
  });
  assert.equal(firstReplyMs.length, 3);
  assert.deepEqual(leftovers, []);
  assert.deepEqual(sharedMemory, []);
  firstReplyMs.forEach((tookMs, index) => {
    const slowestMs = Math.max(...startMs.slice(2 * index, 2 * index + 2));
    const slower = Math.max(1, slowestMs / START_AT_REST_MS);
    const words = `first reply after ${tookMs.toFixed(0)} ms, and --help ` +
      `took ${slowestMs.toFixed(0)} ms`;
    print(`  ${words}`);
    assert.ok(tookMs <= FIRST_REPLY_LIMIT_MS * slower, words);
  });
}

/** All files below a folder. */
function filesBelow(path: string): readonly string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${path}/${name}`) : [`${path}/${name}`]
  );
}

isolatedTest(
  "kit: every command works without a network for a new user, and writes only in its folder",
  async () => {
    const [HOME, TMPDIR] = outside;
    const user = [
      ...["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"],
    ];
    const outcome = await typeIn(
      place,
      [
        ...(isRoot ? user : []),
        ...["sh", "-c", 'umask 077; unset DENO_DIR; exec ./demo "$@"', "sh"],
      ],
      isRoot ? [...READ_ONLY, place, ...outside, "--"] : [],
      { HOME, TMPDIR },
    );
    assertOutcome(outcome);
    assert.deepEqual(outcome.said.at(-1), {
      ...{ command: "down", code: 0 },
      text: "Nothing to stop: every `up` here has ended or runs\n",
    });
    // The runtime of this test is another program, whose cache is elsewhere.
    assert.deepEqual(outside.flatMap(filesBelow), []);
    for (const [path, digest] of await sums()) {
      assert.equal(await sha256OfFile(`${place}/${path}`), digest, path);
    }
  },
);

if (isRoot) {
  isolatedTest(
    "kit: where it is used, nothing else can be written",
    async () => {
      const beside = `${folder}/beside`;
      const touched = startIn(place, [
        ...[...NETWORKLESS, ...READ_ONLY, ...outside, "--"],
        ...["touch", `${outside[0]}/inside`, beside],
      ]);
      assert.notEqual(await touched.ended, 0);
      assert.match(touched.text(), /beside.*Read-only file system/);
      await Deno.remove(`${outside[0]}/inside`);
    },
  );
}

isolatedTest(
  "source: every command works without a network, as in the kit",
  async () => {
    const copy = `${folder}/source`;
    await copyProject(copy);
    await Deno.symlink(`${ROOT}.tools`, `${copy}/.tools`);
    assertOutcome(
      await typeIn(copy, [
        ...[Deno.execPath(), "run", "-q", "--cached-only", "-P=lab"],
        "src/lab.ts",
      ]),
    );
  },
);

async function sums(): Promise<ReadonlyMap<string, string>> {
  return parseSums(await Deno.readTextFile(`${place}/${KIT_SUMS}`));
}

Deno.test("kit: it is within its budget, has its digest and all its parts", async () => {
  const archive = `${dist}/${NAME}.tar.gz`;
  const { size } = await Deno.stat(archive);
  assert.ok(size <= KIT_BYTES_MAX, `${size} bytes`);
  const digest = parseSums(await Deno.readTextFile(`${archive}.sha256`));
  assert.deepEqual([...digest], [
    [`${NAME}.tar.gz`, await sha256OfFile(archive)],
  ]);
  const names = [...(await sums()).keys()];
  for (
    const path of [
      ...["demo", "README.md", "LICENSE", "envoy.yaml", "deno.json"],
      ...["parts/deno", "parts/envoy", "parts/k6", "loadtest/grpc.js"],
      ...["proto/demo/v1/greeter.proto", "grpc-demo-kit.cdx.json"],
      ...["licenses/deno.txt", "licenses/envoy.txt", "licenses/k6.txt"],
      ...["app/lab.js", "app/server.js", "app/client.js"],
    ]
  ) {
    assert.ok(names.includes(path), path);
  }
  assert.deepEqual(names.filter((name) => name.includes("_test")), []);
});

Deno.test("kit: it has the licence of every module that is linked into k6", async () => {
  const [own, ...modules] = goModules(
    await Deno.readFile(`${place}/parts/k6`),
  );
  assert.equal(own?.sum, config.toolDigests["module-of-k6"]);
  assert.ok(modules.length > 50);
  const text = await Deno.readTextFile(`${place}/licenses/k6_modules.txt`);
  const absent = modules.map(({ path, version }) => `\n${path} ${version}`)
    .filter((name) =>
      !text.includes(`${name}/`) && !text.includes(`${name}\n`)
    );
  assert.deepEqual(absent, []);
});

Deno.test("kit: each program has the permissions of deno.json, and no others", async () => {
  const { permissions } = JSON.parse(
    await Deno.readTextFile(`${place}/deno.json`),
  );
  const { server, client, lab, doctor } = config.permissions;
  assert.deepEqual(permissions, { server, client, lab, doctor });
});

Deno.test("kit: put together twice, it has the same bytes", async () => {
  const target = HOST as KitTarget;
  const { signal } = new AbortController();
  const parts = await findParts(target, "", { onProgress: print, signal });
  const again = `${folder}/again/`;
  await Deno.mkdir(again);
  const names = await stageKit(again, {
    ...{ target, parts, commit: "c0ffee", signal },
  });
  assert.ok(names.length > 50);
  assert.equal(
    await Deno.readTextFile(again + KIT_SUMS),
    await Deno.readTextFile(`${place}/${KIT_SUMS}`),
  );
});

/** Runs the kit while a file of it is not as it was packed. */
async function runBroken(
  path: string,
  damage: "missing" | "damaged",
  args: readonly string[],
): Promise<{ readonly code: number; readonly text: string }> {
  const file = `${place}/${path}`;
  const kept = `${folder}/kept`;
  await Deno.rename(file, kept);
  try {
    if (damage === "damaged") {
      await Deno.copyFile(kept, file);
      // One byte, in the middle.
      using open = await Deno.open(file, { read: true, write: true });
      const middle = Math.floor((await open.stat()).size / 2);
      const byte = new Uint8Array(1);
      await open.seek(middle, Deno.SeekMode.Start);
      await open.read(byte);
      await open.seek(middle, Deno.SeekMode.Start);
      await open.write(byte.map((value) => value ^ 1));
    }
    const run = startIn(place, ["./demo", ...args]);
    const code = await run.ended;
    assert.deepEqual(run.leftovers(), []);
    return { code, text: run.text() };
  } finally {
    await Deno.rename(kept, file);
  }
}

for (
  const [path, args, prefix] of [
    ["parts/envoy", ["up"], "up"],
    ["parts/k6", ["load"], "load"],
    ["app/server.js", ["up"], "up"],
    ["app/client.js", ["ctl", "status"], "ctl"],
    ["loadtest/grpc.js", ["load"], "load"],
    ["envoy.yaml", ["doctor", "envoy.yaml"], "doctor"],
    ["app/lab.js", ["up"], "demo"],
    ["deno.json", ["up"], "demo"],
  ] as const
) {
  Deno.test(`kit: a missing "${path}" is one sentence`, async () => {
    const { code, text } = await runBroken(path, "missing", args);
    assert.equal(
      text,
      `${prefix}: This kit has no "${path}", and a kit fetches nothing; ` +
        "unpack the kit's archive again\n",
    );
    assert.equal(code, 3);
  });

  Deno.test(`kit: a damaged "${path}" is one sentence`, async () => {
    const { code, text } = await runBroken(path, "damaged", args);
    assert.equal(
      text,
      `${prefix}: "${path}" in this kit is not as it was packed: its digest ` +
        "is not the one in SHA256SUMS; unpack the kit's archive again, and " +
        "change copies only\n",
    );
    assert.equal(code, 3);
  });
}

Deno.test("kit: a missing runtime is one sentence", async () => {
  const { code, text } = await runBroken("parts/deno", "missing", ["up"]);
  assert.equal(
    text,
    'demo: This kit has no "parts/deno", and a kit fetches nothing; unpack ' +
      "the kit's archive again\n",
  );
  assert.equal(code, 3);
});

Deno.test("kit: a damaged runtime is one sentence", async () => {
  const { code, text } = await runBroken("parts/deno", "damaged", ["up"]);
  assert.match(
    text,
    /^(up|demo): "parts\/deno" .*; unpack .*\n$|^demo: "parts\/deno" does not run here/,
  );
  assert.equal(code, 3);
});
