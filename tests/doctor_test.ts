/** The command `doctor`, as users run it. */
import assert from "node:assert/strict";
import envoyYaml from "../envoy.yaml" with { type: "text" };
import { parseYaml } from "../src/core/yaml.ts";
import { DOCTOR_RULES } from "../src/doctor/examine.ts";
import { runToEnd } from "../src/io/processes.ts";
import { waitUntil } from "../src/io/wait.ts";
import { ROOT } from "./programs.ts";

const CASES = "src/doctor/cases";
const BASE = await Deno.readTextFile(`${CASES}/base.yaml`);

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command with the permissions of its task. */
async function doctor(...args: readonly string[]): Promise<Answer> {
  return await runToEnd(
    Deno.execPath(),
    ["run", "-q", "-P=doctor", "src/lab.ts", "doctor", ...args],
    { cwd: ROOT, env: { NO_COLOR: "1" } },
  );
}

/** Runs it on a file with this content; its name ends as given. */
async function doctorOn(
  content: string | Uint8Array,
  args: readonly string[] = [],
  suffix = ".yaml",
): Promise<Answer & { readonly path: string }> {
  const path = await Deno.makeTempFile({ suffix });
  try {
    await Deno.writeFile(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    return { ...await doctor(path, ...args), path };
  } finally {
    await Deno.remove(path);
  }
}

/** A value in place of another, which must be there. */
function changed(from: string, to: string): string {
  assert.ok(BASE.includes(from));
  return BASE.replace(from, to);
}

Deno.test("doctor finds nothing in our own envoy.yaml, and Envoy agrees", async () => {
  const { code, stdout } = await doctor("envoy.yaml", "--validate");
  assert.equal(
    stdout,
    `envoy.yaml: none of ${DOCTOR_RULES.length} known pitfalls\n`,
  );
  assert.equal(code, 0);
});

Deno.test("doctor names line, field, value, reason, change and experiment", async () => {
  const { code, stdout } = await doctor(
    `${CASES}/fn-retry-empty.yaml`,
    "--no-validate",
  );
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^src\/doctor\/cases\/fn-retry-empty\.yaml:35:31: wrong: route "quotes": route\.retry_policy\.retry_on is "" \[no-retries\]\n {2}Every call .*\.\n {4}retry_policy: .*\n {2}See it: \.\/denow task experiment run kill-one\n/,
  );
});

Deno.test("doctor says first what Envoy refuses, in one sentence with its place", async () => {
  const broken = changed(
    "type: STRICT_DNS",
    "type: STRICT_DNS\n      lb_policy: ROUND_ROBBIN",
  );
  const { code, stdout, path } = await doctorOn(broken, ["--validate"]);
  assert.equal(code, 1);
  assert.equal(
    stdout.split("\n")[0],
    `${path}:42:7: wrong: cluster "quotes", field lb_policy: "ROUND_ROBBIN" is not a valid value [refused]`,
  );
});

Deno.test("doctor asks Envoy about a file of any name", async () => {
  for (const suffix of [".json", ".conf", ""]) {
    const { code, stdout } = await doctorOn(
      JSON.stringify(
        parseYaml(changed("type: STRICT_DNS", "type: STRICKT_DNS"), "a"),
      ),
      ["--validate"],
      suffix,
    );
    assert.equal(code, 1);
    assert.match(
      stdout,
      /:1:\d+: wrong: cluster "quotes", field type: "STRICKT_DNS" is not a valid value \[refused\]/,
    );
  }
});

/** Runs it on this standard input. */
async function doctorPiped(
  content: string,
  args: readonly string[],
  permissions: readonly string[] = ["-P=doctor"],
): Promise<Answer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", ...permissions, "src/lab.ts", "doctor", "-", ...args],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(content));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const [out = "", error = ""] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code, stdout: out, stderr: error };
}

Deno.test("doctor reads standard input", async () => {
  const { code, stdout } = await doctorPiped(
    changed("dns_refresh_rate: 1.5s", "dns_refresh_rate: 20s"),
    ["--json"],
  );
  const { name, findings, unseen } = JSON.parse(stdout);
  assert.equal(code, 1);
  assert.equal(name, "standard input");
  assert.deepEqual(unseen, []);
  const slow = findings.find(({ rule }: { rule: string }) =>
    rule === "slow-discovery"
  );
  assert.deepEqual(
    {
      line: slow.line,
      column: slow.column,
      path: slow.path,
      now: slow.now,
      severity: slow.severity,
      experiment: slow.experiment,
    },
    {
      line: 43,
      column: 7,
      path: "static_resources.clusters[0].dns_refresh_rate",
      now: "20s",
      severity: "risky",
      experiment: "scale-up",
    },
  );
});

/** More than an argument can have; Envoy refuses its cluster. */
const LARGE_REFUSED = `${changed("type: STRICT_DNS", "type: STRICKT_DNS")}${
  "# A comment, so that this is large.\n".repeat(10_000)
}`;

const IS_REFUSED =
  /: wrong: cluster "quotes", field type: "STRICKT_DNS" is not a valid value \[refused\]/;

Deno.test("doctor asks Envoy about whatever is large, too, and leaves no file", async () => {
  const manifest = [
    "apiVersion: v1",
    "kind: ConfigMap",
    "metadata: { name: a }",
    "data:",
    "  envoy.yaml: |",
    indented(LARGE_REFUSED),
  ].join("\n");
  const answers = [
    await doctorPiped(LARGE_REFUSED, ["--validate"]),
    await doctorOn(manifest, ["--validate"]),
    await doctorOn(LARGE_REFUSED, ["--validate"], ".conf"),
    await doctorOn(LARGE_REFUSED, [], ".conf"),
  ];
  for (const { code, stdout, stderr } of answers) {
    assert.match(stdout, IS_REFUSED, stderr);
    assert.equal(code, 1);
  }
  // Other tests may be asking Envoy just now.
  const areGone = () =>
    ![...Deno.readDirSync(`${ROOT}/.tools/run`)]
      .some(({ name }) => name.startsWith("validation-"));
  assert.ok(await waitUntil(areGone, 20_000));
});

Deno.test("doctor says where it cannot ask Envoy, and fails if it must", async () => {
  const readOnly = ["net", "env", "run", "read"].map((one) => `--allow-${one}`);
  const asked = await doctorPiped(BASE, [], readOnly);
  assert.match(
    asked.stdout,
    /^standard input: Envoy cannot be asked: .*write access.*; start this where it may write to \.tools\/.*\n.*: none of \d+ known pitfalls\n$/,
  );
  const must = await doctorPiped(BASE, ["--validate"], readOnly);
  assert.equal(must.code, 3);
  assert.match(must.stderr, /^doctor: Envoy cannot be asked: .*\n$/);
  const manifest = await doctorOn(GRPC_ROUTE, ["--validate"]);
  assert.equal(manifest.code, 3);
  assert.match(
    manifest.stderr,
    /^doctor: Cannot validate .*: it is no file that Envoy starts with; leave out --validate\n$/,
  );
});

Deno.test("doctor --sarif has a result with a region for each finding", async () => {
  const { code, stdout } = await doctor(
    `${CASES}/fn-dns-extension-default.yaml`,
    "--sarif",
  );
  assert.equal(code, 1);
  const { version, runs: [run] } = JSON.parse(stdout);
  assert.equal(version, "2.1.0");
  const ids = run.tool.driver.rules.map(({ id }: { id: string }) => id);
  assert.deepEqual(ids, DOCTOR_RULES.map(({ id }) => id));
  const results = run.results as readonly {
    ruleId: string;
    level: string;
    locations: readonly {
      physicalLocation: { region: Record<string, number> };
    }[];
  }[];
  assert.deepEqual(
    results.map(({ ruleId, level, locations }) => [
      ruleId,
      level,
      locations[0]?.physicalLocation.region,
    ]),
    [
      ["dns-empties-cluster", "note", { startLine: 86, startColumn: 11 }],
      ["slow-discovery", "warning", { startLine: 86, startColumn: 11 }],
    ],
  );
});

Deno.test("doctor list names every rule, and explain explains each", async () => {
  const { code, stdout } = await doctor("list");
  assert.equal(code, 0);
  for (const { id } of DOCTOR_RULES) assert.ok(stdout.includes(`${id} `), id);
  const { stdout: why } = await doctor("explain", "streams-cut");
  assert.match(
    why,
    /^streams-cut \(risky\)\nA route's timeout is 15 s .*\n {2}timeout: 0s\nSee it: .* long-streams\n$/,
  );
  const unknown = await doctor("explain", "nothing");
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.stderr,
    /^doctor: There is no rule "nothing"; `.* doctor list` has them all$/m,
  );
});

Deno.test("doctor does not blame a configuration for files of another machine", async () => {
  const { code, stdout, path } = await doctorOn(
    changed(
      "      filter_chains:\n        - filters:",
      `      filter_chains:
        - transport_socket:
            name: tls
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
              common_tls_context:
                alpn_protocols: [h2]
                tls_certificates:
                  - certificate_chain: { filename: /nowhere/a.pem }
                    private_key: { filename: /nowhere/b.pem }
          filters:`,
    ),
    ["--validate"],
  );
  assert.equal(code, 1);
  const lines = stdout.split("\n").filter((line) => line.startsWith(path));
  assert.equal(lines.length, 3, stdout);
  assert.match(
    lines[0] ?? "",
    /: Envoy cannot validate it on this machine: .*\/nowhere\//,
  );
  assert.match(lines[1] ?? "", /:19:17: risky: .* \[fixed-certificates\]$/);
});

/** Indents a text, as in a block of a manifest. */
function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}

const CONFIG_MAP = (name: string) =>
  `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data:
  envoy.yaml: |
${indented(changed("dns_refresh_rate: 1.5s", "dns_refresh_rate: 20s"))}`;

const GRPC_ROUTE = `apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: a }
spec: { parentRefs: [{ name: front }] }
`;

const UTF16 = new Uint8Array([
  0xff,
  0xfe,
  ...new Uint8Array(Uint16Array.from(BASE, (one) => one.charCodeAt(0)).buffer),
]);

/** What is read, or is said in one sentence. */
const INPUTS: readonly {
  readonly what: string;
  readonly content: string | Uint8Array;
  readonly code: number;
  readonly says: RegExp;
}[] = [
  {
    what: "UTF-16",
    content: UTF16,
    code: 0,
    says: /none of \d+ known pitfalls$/,
  },
  {
    what: "a ConfigMap, with the lines of the file",
    content: CONFIG_MAP("front"),
    code: 1,
    says:
      /the configuration is in the ConfigMap "front"\n.*:48:11: worth knowing: .*dns_refresh_rate is 20s/,
  },
  {
    what: "a list of manifests with one configuration",
    content: `apiVersion: v1\nkind: Service\nmetadata: { name: a }\n---\n${
      CONFIG_MAP("front")
    }`,
    code: 1,
    says: /:52:11: .*dns_refresh_rate is 20s/,
  },
  {
    what: "a list of manifests in JSON with a configuration in JSON",
    content: JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "front" },
        data: {
          "a.json": JSON.stringify(
            parseYaml(
              changed("dns_refresh_rate: 1.5s", "dns_refresh_rate: 20s"),
              "a",
            ),
          ),
        },
      }],
    }),
    code: 1,
    says: /in the ConfigMap "front"\n.*:1:\d+: worth knowing: .*rate is 20s/,
  },
  {
    what: "manifests with two configurations",
    content: `${CONFIG_MAP("one")}\n---\n${CONFIG_MAP("two")}`,
    code: 3,
    says:
      /it has 2 Envoy configurations, in "one", "two"; name a file with one/,
  },
  {
    what: "manifests without a configuration",
    content: "apiVersion: v1\nkind: Service\nmetadata: { name: a }\n",
    code: 3,
    says: /these are Kubernetes manifests \(Service\) without an Envoy/,
  },
  {
    what: "a GRPCRoute without a policy",
    content: GRPC_ROUTE,
    code: 1,
    says:
      /: no Envoy configuration is in it: only its GRPCRoutes .*\n.*:4:7: risky: GRPCRoute "a": spec is without timeouts and retries, and no BackendTrafficPolicy targets it \[route-without-policy\]\n(.*\n)*.*: 1 of \d+ known pitfalls$/,
  },
  {
    what: "a GRPCRoute without a policy, beside a configuration",
    content: `${GRPC_ROUTE}---\n${CONFIG_MAP("front")}`,
    code: 1,
    says:
      /the configuration is in the ConfigMap "front"\n(.*\n)*.*rate is 20s .*\n(.*\n)*.*:4:7: risky: GRPCRoute "a": .*\[route-without-policy\]\n/,
  },
  {
    what: "a template that is no YAML",
    content: `{{- if .Values.a }}\n${BASE}{{- end }}\n`,
    code: 3,
    says: /it is a template; render it first/,
  },
  {
    what: "a template that is YAML",
    content: changed("max_requests: 90", "max_requests: ${MAX}"),
    code: 3,
    says: /line 57, column \d+: .*max_requests: .*it is a template/,
  },
  {
    what: "a Compose file",
    content: "services: { a: { image: b } }\n",
    code: 3,
    says: /it has no static_resources and looks like a Compose file/,
  },
  { what: "nothing", content: "", code: 3, says: /it is empty/ },
  {
    what: "a word",
    content: "hello\n",
    code: 3,
    says: /is no mapping of fields/,
  },
  {
    what: "not a text",
    content: new Uint8Array([1, 2, 0, 255, 254, 3]),
    code: 3,
    says: /it is not a text in UTF-8/,
  },
  {
    what: "resources of discovery, of which there are none",
    content: "resources: []\n",
    code: 1,
    says: /not seen: no route for gRPC calls is in it/,
  },
  {
    what: "tabs in JSON",
    content: JSON.stringify({ static_resources: {} }, undefined, "\t"),
    code: 1,
    says: /not seen: no route for gRPC calls is in it/,
  },
  {
    what: "50 MB",
    content: new Uint8Array(50_000_000).fill(97),
    code: 3,
    says: /it has more than 8 MiB, which is no configuration/,
  },
];

for (const { what, content, code, says } of INPUTS) {
  Deno.test(`doctor reads ${what}, or says in a sentence what it is`, async () => {
    const answer = await doctorOn(content, ["--no-validate"]);
    const text = (answer.stdout + answer.stderr).trimEnd();
    assert.match(text, says);
    assert.equal(answer.code, code, text);
    if (code === 3) assert.equal(text.split("\n").length, 1);
  });
}

Deno.test("doctor refuses an alias bomb in 512 MB, and no escape reaches a terminal", async () => {
  const bomb = await runToEnd(Deno.execPath(), [
    ...["run", "-q", "--v8-flags=--max-old-space-size=300", "-P=doctor"],
    ...["src/lab.ts", "doctor", `${CASES}/bomb.yaml`],
  ], { cwd: ROOT });
  assert.equal(bomb.code, 3);
  assert.match(bomb.stderr, /^doctor: Cannot parse .*aliases expand .*\n$/);
  const { stdout } = await doctor(`${CASES}/control-chars.yaml`);
  assert.match(stdout, /cluster "qu\\u\{1b\}\[31motes/);
  assert.doesNotMatch(stdout, /(?!\n)\p{C}/u);
});

Deno.test("doctor finds nothing in our own manifests", async () => {
  for (const name of ["gateway/gateway.yaml", "base/generated/envoy.yaml"]) {
    const { code, stdout } = await doctor(
      `deploy/kubernetes/${name}`,
      "--no-validate",
    );
    assert.match(stdout, /: none of \d+ known pitfalls\n$/);
    assert.equal(code, 0, stdout);
  }
});

Deno.test("doctor names what to do when it has no input, or two", async () => {
  for (
    const args of [[], ["a.yaml", "b.yaml"], [
      "a.yaml",
      "--from",
      "http://localhost:1",
    ]]
  ) {
    const { code, stderr } = await doctor(...args);
    assert.equal(code, 2);
    assert.match(stderr, /^doctor: doctor needs one input: doctor FILE/);
  }
  const { code, stderr } = await doctor("--from", "http://127.0.0.1:1");
  assert.equal(code, 3);
  assert.match(
    stderr,
    /^doctor: Cannot read \/server_info of "http:\/\/127\.0\.0\.1:1": .*admin interface/,
  );
});

Deno.test("control: our envoy.yaml with a rate that is too low has a pitfall", async () => {
  const { code } = await doctorOn(
    envoyYaml.replaceAll("dns_refresh_rate: 1s", "dns_refresh_rate: 60s"),
  );
  assert.equal(code, 1);
});
