/** What the doctor takes for inputs that are large, or pretend to be small. */
import assert from "node:assert/strict";
import { largeConfig } from "../src/doctor/_large.ts";
import { ROOT } from "./programs.ts";

/** What a program has taken; its children's processor time is included. */
interface Taken {
  readonly code: number;
  readonly text: string;
  readonly processorMs: number;
  readonly peakMib: number;
}

/** Often enough to see a peak, which the kernel keeps until the end. */
const LOOK_INTERVAL_MS = 10;

/** The kernel counts processor time in hundredths of a second. */
const MS_PER_TICK = 10;

/** Reads what a process has taken so far; undefined once it has ended. */
function takenBy(
  pid: number,
): Pick<Taken, "processorMs" | "peakMib"> | undefined {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    if (kib === undefined) return undefined;
    // Behind the name, in brackets: fields 3 and so on, of which 14 to 17.
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "").split(" ").slice(11, 15).map(Number);
    return {
      processorMs: fields.reduce((a, b) => a + b) * MS_PER_TICK,
      peakMib: Number(kib) / 1024,
    };
  } catch {
    return undefined;
  }
}

/** Runs the command on a file with this content, and watches it. */
async function doctorOn(
  content: string | Uint8Array,
  ...args: readonly string[]
): Promise<Taken> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(path) };
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=doctor", "src/lab.ts", "doctor", path, ...args],
    cwd: ROOT,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let taken = { processorMs: 0, peakMib: 0 };
  const timer = setInterval(() => {
    taken = takenBy(child.pid) ?? taken;
  }, LOOK_INTERVAL_MS);
  const { code, stdout, stderr } = await child.output();
  clearInterval(timer);
  const text = [stdout, stderr]
    .map((bytes) => new TextDecoder().decode(bytes)).join("");
  return { code, text, ...taken };
}

/** Ten times as much with each line, by aliases. */
const bomb = (lines: number, first: string, next: (name: string) => string) =>
  Array.from(
    { length: lines },
    (_, index) =>
      `a${index}: &a${index} ${index === 0 ? first : next(`*a${index - 1}`)}\n`,
  ).join("");

const ten = <T>(of: T): readonly T[] => Array(10).fill(of);

/** What is refused, and by which words. */
const REFUSED: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
  [
    "50 MB of letters",
    new Uint8Array(50_000_000).fill(97),
    /it has more than 8 MiB/,
  ],
  [
    "50 MB of clusters",
    largeConfig(50_000_000),
    /it has more than 8 MiB/,
  ],
  [
    "a list of aliases of lists",
    bomb(12, "[x,x,x]", (name) => `[${ten(name).join(",")}]`),
    /its aliases expand to more than 1000000 values/,
  ],
  [
    "a mapping of aliases of mappings",
    bomb(
      12,
      "{ a: b }",
      (name) =>
        `{ ${ten(name).map((one, at) => `k${at}: ${one}`).join(", ")} }`,
    ),
    /its aliases expand to more than 1000000 values/,
  ],
  [
    "one bracket after the other",
    "[".repeat(1_000_000),
    /maxDepth|nested/,
  ],
];

for (const [what, content, says] of REFUSED) {
  Deno.test({
    name: `doctor refuses ${what} in 5 s of processor time and 512 MiB`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const { code, text, processorMs, peakMib } = await doctorOn(content);
      assert.ok(processorMs > 0 && processorMs < 5000, `${processorMs} ms`);
      assert.ok(peakMib > 0 && peakMib < 512, `${peakMib} MiB`);
      assert.match(text, /^doctor: Cannot parse [^\n]*\n$/);
      assert.match(text, says);
      assert.equal(code, 3);
    },
  });
}

Deno.test({
  name:
    "doctor examines 1 MB in 6 s of processor time, Envoy's validation included",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const text = largeConfig(1_000_000);
    const good = await doctorOn(text, "--validate");
    assert.match(good.text, /: none of \d+ known pitfalls\n$/);
    assert.equal(good.code, 0);
    assert.ok(good.processorMs < 6000, `${good.processorMs} ms`);
    const bad = await doctorOn(
      `${text}      intervall: 1s\n`,
      "--validate",
    );
    assert.match(bad.text, /\bintervall\b.*\[refused\]\n/);
    assert.ok(bad.processorMs < 6000, `${bad.processorMs} ms`);
  },
});
