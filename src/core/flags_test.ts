import assert from "node:assert/strict";
import { type FlagRows, helpText, parseFlags, port, words } from "./flags.ts";

const ROWS = {
  port: {
    name: "port",
    placeholder: "PORT",
    help: "Where to listen",
    default: 8080,
    env: "T_PORT",
    parse: port(),
  },
  label: {
    name: "label",
    placeholder: "NAME",
    help: "Who we are",
    default: "",
    env: "T_LABEL",
    parse: words(5),
  },
  isLoud: { name: "loud", help: "Say more", switch: true },
} as const satisfies FlagRows;

const DEFAULTS = { port: 8080, label: "", isLoud: false };

for (
  const [why, argv, env, changed] of [
    ["nothing given is the defaults", [], {}, {}],
    ["a value stands behind its flag", ["--port", "1"], {}, { port: 1 }],
    ["a value stands behind =", ["--port=2"], {}, { port: 2 }],
    ["a switch is on when it is there", ["--loud"], {}, { isLoud: true }],
    ["a variable replaces a default", [], { T_PORT: "3" }, { port: 3 }],
    ["a flag wins over its variable", ["--port=4"], { T_PORT: "3" }, {
      port: 4,
    }],
    ["a bad variable does no harm behind a flag", ["--port=4"], {
      T_PORT: "bad",
    }, { port: 4 }],
    ["an empty variable is not set", [], { T_PORT: "" }, {}],
    ["a value may start with one dash", ["--label", "-x"], {}, { label: "-x" }],
    ["a value behind = may look like a flag", ["--label=--x"], {}, {
      label: "--x",
    }],
  ] as const
) {
  Deno.test(`parseFlags() reads ${argv.join(" ")}: ${why}`, () => {
    const variables = new Map(Object.entries(env));
    const parsed = parseFlags(ROWS, argv, {
      env: (name) => variables.get(name),
    });
    assert.deepEqual(parsed, {
      values: { ...DEFAULTS, ...changed },
      positionals: [],
      help: false,
    });
  });
}

for (
  const [why, argv, problems] of [
    ["an unknown flag", ["--nothing"], ["--nothing is not a flag"]],
    ["an unknown flag, but not its value", ["--zzz", "5"], [
      "--zzz is not a flag",
    ]],
    ["a word behind an unknown flag that has a value", ["--zzz=5", "word"], [
      "--zzz is not a flag",
      '"word" is not understood; flags start with "--"',
    ]],
    ["a misspelt flag", ["--prot=5"], [
      "--prot is not a flag; did you mean --port?",
    ]],
    ["a shortened flag", ["--lab=x"], [
      "--lab is not a flag; did you mean --label?",
    ]],
    ["a misspelt --help", ["--hlep"], [
      "--hlep is not a flag; did you mean --help?",
    ]],
    ["one mistake of one word", ["-p80"], [
      "-p is not a flag; did you mean --port?",
    ]],
    ["a flag that another program would have", ["--__proto__=1"], [
      "--__proto__ is not a flag",
    ]],
    ["a switch with a value", ["--loud=yes"], [
      '--loud takes no value: "yes"',
    ]],
    ["a flag without its value", ["--port"], ["--port needs a value: PORT"]],
    ["a flag whose value is another flag", ["--port", "--label", "x"], [
      "--port needs a value: PORT, not --label",
    ]],
    ["an empty value", ["--port="], [
      '--port must be a whole number from 1 to 65535: ""',
    ]],
    ["a negative number", ["--port", "-5"], [
      '--port must be a whole number from 1 to 65535: "-5"',
    ]],
    ["a flag that is given twice", ["--port=1", "--port=2"], [
      "--port is given twice; give it once",
    ]],
    ["a stray word", ["word"], [
      '"word" is not understood; flags start with "--"',
    ]],
    [
      "all bad flags at once",
      ["--port=x", "--zzz", "--loud=1", "word", "--label=too-long"],
      [
        "--zzz is not a flag",
        '--loud takes no value: "1"',
        '"word" is not understood; flags start with "--"',
        '--port must be a whole number from 1 to 65535: "x"',
        '--label must have 1 to 5 characters: "too-long"',
      ],
    ],
  ] as const
) {
  Deno.test(`parseFlags() reports ${why}`, () => {
    assert.throws(() => parseFlags(ROWS, argv), {
      name: "Failure",
      kind: "usage",
      message: [...problems, "--help lists the flags"].join("\n"),
    });
  });
}

Deno.test("parseFlags() reports a bad variable by its name", () => {
  assert.throws(() => parseFlags(ROWS, [], { env: () => "0" }), {
    name: "Failure",
    message: [
      'T_PORT must be a whole number from 1 to 65535: "0"',
      "--help lists the flags",
    ].join("\n"),
  });
});

for (const argv of [["--help"], ["-h"], ["--zzz", "--help", "--port=x"]]) {
  Deno.test(`parseFlags() gives help for ${argv.join(" ")}`, () => {
    assert.equal(parseFlags(ROWS, argv).help, true);
  });
}

Deno.test("parseFlags() lets as many words stand as it may", () => {
  const { positionals } = parseFlags(ROWS, ["a", "--port=1", "b"], {
    positionalsMax: 2,
  });
  assert.deepEqual(positionals, ["a", "b"]);
  assert.throws(() => parseFlags(ROWS, ["a", "b"], { positionalsMax: 1 }), {
    name: "Failure",
    message: /^"b" is not understood/,
  });
});

Deno.test("helpText() lists flags with their defaults and variables", () => {
  assert.equal(
    helpText("tool [flags]", "Does it.", ROWS),
    `Usage: tool [flags]

Does it.

Flags:
  --port PORT   Where to listen [8080, or T_PORT]
  --label NAME  Who we are [or T_LABEL]
  --loud        Say more
  --version     Print the version and exit
  --help        Print this and exit`,
  );
});
