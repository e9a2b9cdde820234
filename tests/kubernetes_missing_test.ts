/** What `up --kubernetes` and `down --kubernetes` say without a cluster. */
import assert from "node:assert/strict";
import denoJson from "../deno.json" with { type: "json" };
import { findTool } from "../src/io/tools.ts";
import { RIGHTS } from "../src/stack/rights.ts";
import { start } from "./programs.ts";
import { freePort } from "./stacks.ts";

/** Every command that changes a cluster. */
const CHANGES = /\b(create|apply|delete|scale|patch|annotate)\b/;

/**
 * Runs the lab with a kubectl that is a shell script.
 *
 * @param answers The branches of its `case`, by the words of the command.
 * @returns Its output, and the commands that kubectl was given.
 */
async function lab(
  args: readonly string[],
  answers: string,
): Promise<{
  readonly code: number;
  readonly text: string;
  readonly commands: readonly string[];
}> {
  const folder = await Deno.makeTempDir({ prefix: "kubectl-test-" });
  try {
    const path = `${folder}/kubectl`;
    await Deno.writeTextFile(
      path,
      `#!/bin/sh
[ "$1" = version ] && { echo "Client Version: v${denoJson.toolVersions.kubectl}"; exit; }
echo "$*" >> ${folder}/commands
case "$*" in
${answers}
  *) echo "unexpected: $*" >&2; exit 9;;
esac
`,
    );
    await Deno.chmod(path, 0o755);
    const run = start(
      Deno.execPath(),
      ["run", "-q", "-P=lab", "src/lab.ts", ...args],
      { KUBECTL: path },
    );
    const code = await run.ended;
    assert.deepEqual(run.leftovers(), []);
    const commands = await Deno.readTextFile(`${folder}/commands`)
      .catch(() => "");
    return {
      code,
      text: run.text().trim(),
      commands: commands.split("\n").filter((line) => line !== ""),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The words of `up` on ports of its own. */
function upWords(...more: readonly string[]): readonly string[] {
  return [
    ...["up", "--kubernetes", "--no-page", "--port", `${freePort()}`],
    ...["--admin-port", `${freePort()}`, ...more],
  ];
}

const CONTEXTS = '  "config get-contexts --output=name") echo one; echo two;;';

const ONE_CONTEXT = '  "config get-contexts --output=name") echo one;;';

const REACHED = `${ONE_CONTEXT}
  *"get --raw=/version") echo '{}';;`;

const rows: readonly {
  readonly what: string;
  readonly more?: readonly string[];
  readonly answers: string;
  readonly message: RegExp;
  readonly code: number;
}[] = [
  {
    what: "no context",
    answers: '  "config get-contexts --output=name") ;;',
    message: /: kubectl knows no cluster; name a file with one in KUBECONFIG/,
    code: 3,
  },
  {
    what: "a configuration that cannot be read",
    answers:
      '  "config get-contexts --output=name") echo "error: yaml: line 3: bad" >&2; exit 1;;',
    message:
      /: kubectl cannot read its configuration: yaml: line 3: bad; correct/,
    code: 3,
  },
  {
    what: "several contexts and none named",
    answers: CONTEXTS,
    message:
      /: kubectl knows several contexts; name the one to use with --context: one, two$/,
    code: 2,
  },
  {
    what: "a context that does not exist",
    more: ["--context", "three"],
    answers: CONTEXTS,
    message: /: kubectl has no context "three"; it knows one, two$/,
    code: 2,
  },
  {
    what: "a cluster that does not answer",
    more: ["--context", "two"],
    answers: `${CONTEXTS}
  "--context=two --request-timeout=5s get --raw=/version")
    echo "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?" >&2
    exit 1;;`,
    message:
      /: The cluster of context "two" does not answer: The connection to the server 127\.0\.0\.1:1 was refused .*; start it, or name another with --context$/,
    code: 3,
  },
];

for (const { what, more = [], answers, message, code } of rows) {
  Deno.test(`up --kubernetes with ${what} says so in a sentence`, async () => {
    const ended = await lab(upWords(...more), answers);
    assert.match(ended.text, message);
    assert.match(ended.text, /^up: .*$/);
    assert.equal(ended.code, code);
    assert.doesNotMatch(ended.commands.join("\n"), CHANGES);
  });
}

Deno.test("down --kubernetes needs the name of one context of several", async () => {
  const ended = await lab(["down", "--kubernetes"], CONTEXTS);
  assert.match(ended.text, /^down: kubectl knows several contexts; .*$/);
  assert.equal(ended.code, 2);
  assert.doesNotMatch(ended.commands.join("\n"), CHANGES);
});

Deno.test("up --kubernetes with a kubectl of another version says so", async () => {
  const run = start(
    Deno.execPath(),
    ["run", "-q", "-P=lab", "src/lab.ts", ...upWords()],
    { KUBECTL: "/bin/true" },
  );
  assert.equal(await run.ended, 3);
  assert.match(
    run.text(),
    /^up: KUBECTL is "\/bin\/true", which does not run as kubectl; .*\n$/,
  );
});

const KUBECTL = (await findTool("kubectl")).path;

/** A cluster up to the first question about rights. */
const RENDERED = `${REACHED}
  *" kustomize "*) exec ${KUBECTL} "$@";;`;

/** Every right that is asked for, in order. */
const ASKED = RIGHTS.flatMap(({ resource, verbs }) =>
  verbs.map((verb) => `${verb} ${resource}`)
);

/** The answer to it, without some. */
function allowedBut(...missing: readonly string[]): string {
  const answers = ASKED.map((right) => !missing.includes(right)).join(" ");
  return `${RENDERED}
  *" create --output=jsonpath="*) printf '%s\\n' ${answers};;`;
}

const ALLOWED = allowedBut();

const EXISTS = `${ALLOWED}
  *" create --filename="*)
    echo 'Error from server (AlreadyExists): error when creating "x": namespaces "grpc-demo" already exists' >&2
    exit 1;;`;

const LABELS = "get namespace grpc-demo --output=jsonpath={.metadata.labels}";

Deno.test("up --kubernetes without rights names them and changes nothing", async () => {
  const { code, text, commands } = await lab(
    upWords(),
    allowedBut("create namespaces", "patch deployments/scale"),
  );
  assert.match(
    text,
    /\nup: The user of context "one" may not create namespaces, patch deployments\/scale, which the demo needs in namespace "grpc-demo"; use a context whose user may$/,
  );
  assert.equal(code, 3);
  // What it asks is not stored.
  assert.doesNotMatch(
    commands.filter((line) => !line.includes("--output=jsonpath")).join("\n"),
    CHANGES,
  );
});

for (
  const { what, labels, message } of [
    {
      what: "a namespace of that name that is not the demo's",
      labels: '{"kubernetes.io/metadata.name":"grpc-demo"}',
      message:
        /\nup: There is a namespace "grpc-demo" in context "one" that is not the demo's, as it lacks the label app\.kubernetes\.io\/part-of=grpc-demo; remove it, or use another cluster$/,
    },
    {
      what: "the demo there already",
      labels: '{"app.kubernetes.io/part-of":"grpc-demo"}',
      message:
        /\nup: The demo is already in namespace "grpc-demo" of context "one"; `\.\/denow task down --kubernetes` removes it$/,
    },
  ]
) {
  Deno.test(`up --kubernetes with ${what} leaves it alone`, async () => {
    const { code, text, commands } = await lab(
      upWords(),
      `${EXISTS}\n  *"${LABELS}") echo '${labels}';;`,
    );
    assert.match(text, message);
    assert.equal(code, 3);
    // Creating it failed, and nothing came after that.
    assert.deepEqual(
      commands.filter((line) => CHANGES.test(line)).map((line) =>
        / create (--\w+)/.exec(line)?.[1]
      ),
      ["--output", "--filename"],
    );
  });
}

/** A cluster that refuses what `up` applies, once it has the namespace. */
const REFUSES = `${ALLOWED}
  *" create --filename="*) ;;
  *" apply --filename="*)
    echo 'Error from server (Forbidden): error when creating "x": quota exceeded' >&2
    exit 1;;
  *"${LABELS}") echo '{"app.kubernetes.io/part-of":"grpc-demo"}';;
  *"get namespace grpc-demo") ;;`;

Deno.test("up --kubernetes removes the namespace when the cluster refuses the rest", async () => {
  const { code, text, commands } = await lab(
    upWords(),
    `${REFUSES}\n  *" delete "*) ;;`,
  );
  assert.match(
    text,
    /\nup: "kubectl apply" failed in context "one": quota exceeded; correct that in the cluster, or name another with --context$/,
  );
  assert.equal(code, 3);
  assert.match(commands.at(-1) ?? "", / delete namespace grpc-demo$/);
});

const MAY_NOT = `echo 'Error from server (Forbidden): no rights' >&2; exit 1;;`;

Deno.test("up --kubernetes removes the namespace without the right to empty it first", async () => {
  const { text, commands } = await lab(
    upWords(),
    `${REFUSES}
  *" delete namespace "*) ;;
  *" delete "*) ${MAY_NOT}`,
  );
  assert.match(
    text,
    /"kubectl apply" failed in context "one": quota exceeded; correct/,
  );
  assert.match(commands.at(-1) ?? "", / delete namespace grpc-demo$/);
});

Deno.test("up --kubernetes says what failed first, and what is left", async () => {
  const { text, code } = await lab(
    upWords(),
    `${REFUSES}\n  *" delete "*) ${MAY_NOT}`,
  );
  assert.match(
    text,
    /\nup: "kubectl apply" failed in context "one": quota exceeded; .*; what was started is left, until `\.\/denow task down --kubernetes` removes it: "kubectl delete namespace" failed in context "one": no rights; correct/,
  );
  assert.equal(code, 3);
});

Deno.test("down --kubernetes leaves a namespace that is not the demo's", async () => {
  const ended = await lab(
    ["down", "--kubernetes"],
    `${REACHED}
  *"get namespace grpc-demo") echo found;;
  *"get namespace grpc-demo --output=jsonpath={.metadata.labels}")
    echo '{"kubernetes.io/metadata.name":"grpc-demo"}';;`,
  );
  assert.match(
    ended.text,
    /^down: The namespace "grpc-demo" in context "one" is not the demo's, as it lacks the label app\.kubernetes\.io\/part-of=grpc-demo; it was left as it is$/,
  );
  assert.equal(ended.code, 3);
  assert.doesNotMatch(ended.commands.join("\n"), CHANGES);
});

Deno.test("down --kubernetes without anything to remove says so", async () => {
  const ended = await lab(
    ["down", "--kubernetes"],
    `${REACHED}
  *"get namespace "*)
    echo 'Error from server (NotFound): namespaces "grpc-demo" not found' >&2
    exit 1;;`,
  );
  assert.equal(
    ended.text,
    "Nothing to remove: the demo has no namespace in context one",
  );
  assert.equal(ended.code, 0);
  assert.doesNotMatch(ended.commands.join("\n"), CHANGES);
});

for (
  const words of [
    ["--docker"],
    ["--server-port", "8090"],
    ["--discovery", "eds"],
    ["--config", "envoy.yaml"],
  ]
) {
  Deno.test(`up --kubernetes ${words[0]} is refused`, async () => {
    const { code, text, commands } = await lab(upWords(...words), "");
    assert.match(
      text,
      new RegExp(`^up: .*${words[0]}.*; leave one of them out$`),
    );
    assert.equal(code, 2);
    assert.deepEqual(commands, []);
  });
}

for (
  const words of [
    ["up", "--no-page"],
    ["down"],
    ["experiment", "run", "kill-one"],
  ]
) {
  Deno.test(`${words[0]} --context without --kubernetes is refused`, async () => {
    const ended = await lab([...words, "--context", "one"], "");
    assert.match(
      ended.text,
      /: --context one has no effect without --kubernetes/,
    );
    assert.equal(ended.code, 2);
  });
}

for (
  const { words, message } of [
    {
      words: ["envoy-rollout"],
      message: "is for this machine; use --kubernetes",
    },
    {
      words: ["oversize", "--kubernetes"],
      message:
        "is for Kubernetes; `./denow task experiment list` marks those " +
        "that are",
    },
  ]
) {
  Deno.test(`experiment run ${words.join(" ")} is refused`, async () => {
    const ended = await lab(["experiment", "run", ...words], "");
    assert.equal(
      ended.text,
      `experiment: None of these experiments ${message}`,
    );
    assert.equal(ended.code, 2);
    assert.deepEqual(ended.commands, []);
  });
}
