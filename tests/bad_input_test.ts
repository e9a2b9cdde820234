/** Bad input: its sentence, its exit code, and nothing left running. */
import assert from "node:assert/strict";
import { startSource } from "./programs.ts";
import { freePort } from "./stacks.ts";

interface BadInput {
  readonly what: string;
  readonly program: "server" | "client" | "lab";
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly code: number;
  /** Each must be in what is printed. */
  readonly says: readonly RegExp[];
}

/** A port that somebody listens on until the test program ends. */
function takenPort(hostname = "127.0.0.1"): string {
  const port = freePort();
  Deno.listen({ hostname, port }).unref();
  return String(port);
}

function file(content: string, mode = 0o644): string {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, content);
  Deno.chmodSync(path, mode);
  globalThis.addEventListener("unload", () => Deno.removeSync(path));
  return path;
}

const free = () => String(freePort());

const freePorts = () => [
  ...["--port", free(), "--admin-port", free(), "--server-port", free()],
];

const YAML = Deno.readTextFileSync("envoy.yaml");

const CASES: readonly BadInput[] = [
  {
    what: "a taken port for callers",
    program: "lab",
    args: ["up", "--port", takenPort(), "--admin-port", free()],
    code: 3,
    says: [/Cannot listen on 127\.0\.0\.1:\d+: the port is taken.*--port$/m],
  },
  {
    what: "a taken admin port",
    program: "lab",
    args: ["up", "--port", free(), "--admin-port", takenPort()],
    code: 3,
    says: [/Cannot listen on .* the port is taken.*--admin-port$/m],
  },
  {
    what: "a taken server port",
    program: "lab",
    args: [
      ...["up", "--port", free(), "--admin-port", free()],
      ...["--server-port", takenPort("127.0.0.2")],
    ],
    code: 3,
    says: [/Cannot listen on 127\.0\.0\.2:\d+: .*--server-port$/m],
  },
  {
    what: "several bad flags of up",
    program: "lab",
    args: ["up", "--servers", "0", "--prot", "5", "--admin-port", "x", "more"],
    code: 2,
    says: [
      /--servers must be a whole number from 1 to 32: "0"/,
      /--prot is not a flag; did you mean --port\?/,
      /--admin-port must be a whole number from 1 to 65535: "x"/,
      /"more" is not understood/,
    ],
  },
  {
    what: "a command that does not exist",
    program: "lab",
    args: ["upp"],
    code: 2,
    says: [/"upp" is not a command; the commands are up/],
  },
  {
    what: "several bad flags of the server",
    program: "server",
    args: ["--port", "70000", "--name", "a b", "--max-message-bytes"],
    env: { SERVER_DRAIN_WAIT_MS: "soon" },
    code: 2,
    says: [
      /--port must be .*: "70000"/,
      /--name must have .*: "a b"/,
      /--max-message-bytes needs a value: BYTES/,
      /SERVER_DRAIN_WAIT_MS must be .*: "soon"/,
    ],
  },
  {
    what: "several bad flags of the client",
    program: "client",
    args: ["--rate", "0", "--target", "nowhere", "--json=yes"],
    code: 2,
    says: [
      /--rate must be a number above 0.*: "0"/,
      /--target must be HOST:PORT.*: "nowhere"/,
      /--json takes no value: "yes"/,
    ],
  },
  {
    // Before its minutes, and not after them.
    what: "a folder for reports that cannot be written",
    program: "lab",
    args: ["experiment", "run", "kill-one", "--out", "/proc/reports"],
    code: 3,
    says: [
      /^experiment: Cannot make a folder for reports in "\/proc\/reports": .*within reports\/ that can be written\n$/,
    ],
  },
  {
    what: "a server port that is taken",
    program: "server",
    args: ["--port", takenPort()],
    code: 3,
    says: [/Cannot listen on 127\.0\.0\.1:\d+: the port is taken/],
  },
  {
    what: "a host that is no address",
    program: "server",
    args: ["--host", "a b"],
    code: 3,
    says: [/^server: Cannot listen on a b:8080: .*--host/m],
  },
  {
    what: "an address that its permissions do not cover",
    program: "server",
    args: ["--host", "192.0.2.1"],
    code: 3,
    says: [/^server: Cannot listen on 192\.0\.2\.1:8080: .* permissions in /m],
  },
  {
    what: "a client whose target does not exist",
    program: "client",
    args: ["--target", `127.0.0.1:${free()}`, "--count", "2", "--rate", "50"],
    code: 1,
    says: [/UNAVAILABLE/, /2 calls, 0 succeeded, 2 failed/],
  },
  {
    what: "a client whose target's name does not exist",
    program: "client",
    args: ["--target", "nowhere.invalid:5000", "--count", "1"],
    code: 1,
    says: [/UNAVAILABLE|DEADLINE_EXCEEDED/, /1 calls, 0 succeeded, 1 failed/],
  },
  {
    what: "variables of the servers that are wrong",
    program: "lab",
    args: ["up", ...freePorts()],
    env: { SERVER_MAX_MESSAGE_BYTES: "abc", SERVER_DRAIN_WAIT_MS: "soon" },
    code: 2,
    says: [
      /^up: server-\d did not start \(exit code 2\): SERVER_MAX_MESSAGE_BYTES must be .*: "abc"; SERVER_DRAIN_WAIT_MS must be .*: "soon"$/m,
    ],
  },
  {
    what: "variables of the client that are wrong",
    program: "lab",
    args: ["up", ...freePorts()],
    env: { CLIENT_RATE: "0", CLIENT_COUNT: "many" },
    code: 2,
    says: [
      /^up: client did not start \(exit code 2\): CLIENT_RATE must be .*: "0"; CLIENT_COUNT must be .*: "many"$/m,
    ],
  },
  {
    what: "a client whose calls are counted and all fail",
    program: "lab",
    args: ["up", ...freePorts()],
    env: { CLIENT_COUNT: "1", CLIENT_WORK_MS: "500", CLIENT_DEADLINE_MS: "50" },
    code: 1,
    says: [/1 calls, 0 succeeded/, /^up: client ended unexpectedly \(exit/m],
  },
  {
    what: "an Envoy that is missing",
    program: "lab",
    args: ["up", "--port", free(), "--admin-port", free()],
    env: { ENVOY: "/nonexistent/envoy" },
    code: 3,
    says: [/ENVOY.*\/nonexistent\/envoy/],
  },
  {
    what: "an Envoy that is broken",
    program: "lab",
    args: ["up", "--port", free(), "--admin-port", free()],
    env: { ENVOY: file("not a program", 0o755) },
    code: 3,
    says: [/ENVOY/],
  },
  {
    what: "a configuration that is no YAML",
    program: "lab",
    args: ["up", "--config", file("admin: [\n")],
    code: 3,
    says: [/Cannot parse .*: /],
  },
  {
    what: "a configuration without listeners",
    program: "lab",
    args: ["up", "--config", file("static_resources: { listeners: [] }\n")],
    code: 3,
    says: [/Cannot run a stack with .*: it has no route for gRPC calls/],
  },
  {
    what: "a configuration that Envoy refuses",
    program: "lab",
    args: [
      ...["up", "--port", free(), "--admin-port", free()],
      ...["--server-port", free(), "--config"],
      file(
        YAML.replaceAll("lb_policy: ROUND_ROBIN", "lb_policy: NO_SUCH_POLICY"),
      ),
    ],
    code: 3,
    says: [
      /^up: Envoy refuses "[^"]+": cluster "grpc-server", field lb_policy: "NO_SUCH_POLICY" is not a valid value; fix it there$/m,
    ],
  },
  ...([
    ["nothing", "# a: b", /Cannot parse [^ ]+: it is empty; name/],
    [
      "two documents",
      "a: 1\n---\na: 2",
      /Cannot examine .*no static_resources but "a"/,
    ],
    ["a tab", "a:\n\tb: 1", /Cannot parse .*: line 2: .*; correct it/],
    [
      "routes to no cluster",
      YAML.replace("name: grpc-server\n", "name: servers\n"),
      /Cannot run a stack with .*: .*it has no cluster "grpc-server"/,
    ],
    [
      "a cluster of another kind",
      YAML.replace("STRICT_DNS", "LOGICAL_DNS"),
      /Cannot run .*: cluster "grpc-server" has one address at a time/,
    ],
    [
      "a listener that is there twice",
      YAML.replace("name: l4\n", "name: grpc\n"),
      /Cannot run a stack with .*: it has 2 listeners named "grpc"/,
    ],
  ] as const).map(([what, text, sentence]): BadInput => ({
    what: `a configuration of ${what}`,
    program: "lab",
    args: ["up", "--config", file(text)],
    code: 3,
    says: [sentence],
  })),
  {
    what: "a folder in place of a configuration",
    program: "lab",
    args: ["up", "--config", "experiments"],
    code: 3,
    says: [/Cannot read "[^"]+\/experiments": Is a directory.*; name a file/],
  },
  {
    what: "a configuration below a file",
    program: "lab",
    args: ["up", "--config", "deno.json/envoy.yaml"],
    code: 3,
    says: [/Cannot read "[^"]+": Not a directory.*; name a file with --config/],
  },
  ...([
    [["--admin-port", "5000"], "--admin-port 5000 is also the port of callers"],
    [["--admin-port", "5001"], "--admin-port 5001 is also the L4 port, one"],
    [["--admin-port", "8080"], "--server-port 8080 is also the admin port"],
    [["--server-port", "5001"], "--server-port 5001 is also the L4 port, one"],
    [
      ["--docker", "--admin-port", "5001"],
      "--admin-port 5001 is also the L4 port, one",
    ],
  ] as const).map(([flags, sentence]): BadInput => ({
    what: `ports that clash: ${flags.join(" ")}`,
    program: "lab",
    args: ["up", ...flags],
    code: 2,
    says: [new RegExp(`^up: ${sentence}.*; choose another$`, "m")],
  })),
  {
    what: "a configuration that is not there",
    program: "lab",
    args: ["up", "--config", "/nonexistent/envoy.yaml"],
    code: 3,
    says: [/Cannot read "\/nonexistent\/envoy.yaml"/],
  },
];

for (const { what, program, args, env, code, says } of CASES) {
  Deno.test(`${program}: ${what}`, async () => {
    const run = startSource(program, args, env);
    assert.equal(await run.ended, code, run.text());
    for (const sentence of says) assert.match(run.text(), sentence);
    assert.doesNotMatch(run.text(), /^ +at .*:\d+:\d+/m, "a stack trace");
    assert.deepEqual(run.leftovers(), []);
  });
}
