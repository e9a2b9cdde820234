/** The workshop's papers name commands that the lab understands. */
import assert from "node:assert/strict";
import { startSource } from "./programs.ts";

const PAPERS = [
  "workshop/INSTRUCTOR.md",
  "workshop/SHEET.md",
  "tools/kit/README.md",
];

/** Commands of a text, in spans, which may go over two lines, and in blocks. */
function commandsOf(text: string): readonly string[] {
  const spans = text.matchAll(/`(\.\/demo [^`]+)`/g);
  const lines = text.matchAll(/^(\.\/demo [^#\n]+)/gm);
  return [...spans, ...lines].map(([, command = ""]) =>
    command.trim().replaceAll(/\s+/g, " ")
  );
}

const helpOf = new Map<string, Promise<string>>();

/** What `--help` says of a verb. */
function help(verb: string): Promise<string> {
  const asked = helpOf.get(verb) ?? (async () => {
    const run = startSource("lab", [verb, "--help"]);
    assert.equal(await run.ended, 0, run.text());
    return run.text();
  })();
  helpOf.set(verb, asked);
  return asked;
}

/** What is wrong with a command, given its help; empty if nothing is. */
function mistakes(words: readonly string[], text: string): readonly string[] {
  const [usage = ""] = text.split("\n");
  const [, , action = ""] = words;
  // Optional ones are in "[flags]".
  const needed = [...usage.matchAll(/ (--[a-z-]+)(?= [A-Z]+ \[flags\])/g)]
    .map(([, flag = ""]) => flag).filter((flag) => !words.includes(flag));
  return [
    ...needed.map((flag) => `lacks ${flag}`),
    ...(/^[a-z]+$/.test(action) && !new RegExp(`\\b${action}\\b`).test(text)
      ? [`there is no ${action}`]
      : []),
    ...words.flatMap((flag, at) => {
      if (!flag.startsWith("--")) return [];
      const [, value] = new RegExp(`^  ${flag}( [A-Z]+)?  `, "m").exec(text) ??
        ["", "unknown"];
      if (value === "unknown") return [`${flag} is not a flag`];
      const next = words[at + 1] ?? "--";
      return value !== undefined && next.startsWith("--")
        ? [`${flag} needs a value`]
        : [];
    }),
  ];
}

for (const paper of PAPERS) {
  Deno.test(`${paper}: the lab understands every command in it`, async () => {
    const commands = new Set(commandsOf(await Deno.readTextFile(paper)));
    assert.ok(commands.size >= 5, [...commands].join());
    for (const command of commands) {
      const words = command.split(" ");
      const wrong = mistakes(words, await help(words[1] ?? ""));
      assert.deepEqual(wrong, [], command);
    }
  });
}

Deno.test("commands that the lab does not understand are told apart", async () => {
  const rows = [
    ["./demo serve --address 192.168.1.5", ["lacks --dir"]],
    ["./demo serve --dir", ["--dir needs a value"]],
    ["./demo serve --dir --address 192.168.1.5", ["--dir needs a value"]],
    ["./demo up --configuration mine.yaml", [
      "--configuration is not a flag",
    ]],
    ["./demo lesson explain", ["there is no explain"]],
    ["./demo ctl load --rate 60", []],
  ] as const;
  for (const [command, expected] of rows) {
    const words = command.split(" ");
    assert.deepEqual(mistakes(words, await help(words[1] ?? "")), expected);
  }
});
