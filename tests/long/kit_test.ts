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
import { findParts, HOST, type KitTarget } from "../../tools/kit/parts.ts";
import { stageKit } from "../../tools/kit/stage.ts";
import type { Outcome } from "../kit_commands.ts";
import { testWhere, whyNotRun } from "../needs.ts";
import { copyProject, ROOT, start, startIn } from "../programs.ts";

/** Generous: other tests' machines are busy; docs/kit.md has measurements. */
const FIRST_REPLY_LIMIT_MS = 10_000;

const NAME = `grpc-demo-kit-${config.version}-${HOST}`;

const folder = await Deno.realPath(
  await Deno.makeTempDir({ prefix: "kit-test-" }),
);
globalThis.addEventListener("unload", () => {
  Deno.removeSync(folder, { recursive: true });
});

/** Where the kit is unpacked. */
const place = `${folder}/a path with spaces/${NAME}`;

const packed = start(Deno.execPath(), [
  ...["task", "--quiet", "kit", "--commit", "c0ffee", "--out", folder],
]);
assert.equal(await packed.ended, 0, packed.text());
await Deno.mkdir(`${folder}/a path with spaces`);
const unpacked = start("sh", [
  ...["-c", 'umask 077; exec tar -xzf "$0" -C "$1"'],
  ...[`${folder}/${NAME}.tar.gz`, `${folder}/a path with spaces`],
]);
assert.equal(await unpacked.ended, 0, unpacked.text());

/** Without any network but a loopback, and with a /dev/shm of its own. */
const ISOLATION = [
  ...["unshare", ...(Deno.uid() === 0 ? ["-nm"] : ["-rnm"]), "sh", "-c"],
  'ip link set lo up && mount -t tmpfs tmpfs /dev/shm && exec "$@"',
  "sh",
];

const isolatedTest = testWhere(
  "the kit's commands without a network",
  await whyNotRun(ISOLATION[0] ?? "", [...ISOLATION.slice(1), "true"]),
);

/** Types the commands in a folder, without any network. */
async function typeIn(
  cwd: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const run = startIn(cwd, [
    ...ISOLATION,
    ...[Deno.execPath(), "run", "-q", "-A", "--config", `${ROOT}deno.json`],
    ...[`${ROOT}tests/kit_commands.ts`, ...words],
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
  ["up", [0], /stopping on SIGINT\n/],
  ["experiment list", [0], /^name +set +question\n/],
  [
    "experiment run wrong-health-service",
    [0, 1],
    /(HELD|UNKNOWN) +wrong-health-service[^]*report: reports\//,
  ],
  ["reports", [0], /\n2 runs, /],
  ["doctor envoy.yaml", [0], /^envoy\.yaml: none of \d+ known pitfalls\n$/],
  ["lesson start panic", [0], /\nYour copy .* is my\/05-panic\/envoy\.yaml\n$/],
  ["lesson hint", [0], /^Hint 1 of 3: /],
  ["lesson solve", [0], /my\/05-panic\/envoy\.yaml is solved/],
  [
    "lesson check",
    [0, UNKNOWN_EXIT_CODE],
    /\n(Solved\n`.\/demo lesson next` starts the next lesson|Cannot tell .*)\n$/,
  ],
];

function assertOutcome(
  { said, firstReplyMs, leftovers, sharedMemory }: Outcome,
): void {
  const asked = said.map(({ command }) => command);
  assert.deepEqual(asked, [...EXPECTED.map(([command]) => command), "down"]);
  EXPECTED.forEach(([command, codes, pattern], index) => {
    const { code = -1, text = "" } = said[index] ?? {};
    assert.match(text, pattern, `${command}: ${text}`);
    assert.ok(codes.includes(code), `${command} gave ${code}: ${text}`);
  });
  assert.equal(firstReplyMs.length, 2);
  print(`  first reply after ${firstReplyMs.map(Math.round).join(" and ")} ms`);
  assert.ok(Math.max(...firstReplyMs) <= FIRST_REPLY_LIMIT_MS);
  assert.deepEqual(leftovers, []);
  assert.deepEqual(sharedMemory, []);
}

/** All files below a folder. */
function filesBelow(path: string): readonly string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(`${path}/${name}`) : [`${path}/${name}`]
  );
}

isolatedTest(
  "kit: every command works without a network, and writes only in its folder",
  async () => {
    const outside = [`${folder}/home`, `${folder}/tmp`];
    for (const path of outside) await Deno.mkdir(path);
    const [HOME = "", TMPDIR = ""] = outside;
    const outcome = await typeIn(
      place,
      ["sh", "-c", 'umask 077; unset DENO_DIR; exec ./demo "$@"', "sh"],
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
  const archive = `${folder}/${NAME}.tar.gz`;
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
