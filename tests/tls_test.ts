/** TLS between callers and Envoy: the command `up --tls`, and other programs. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { messageOf } from "../src/core/errors.ts";
import { runToEnd } from "../src/io/processes.ts";
import { findTool } from "../src/io/tools.ts";
import { Authority } from "../src/stack/authority.ts";
import { RUN_FOLDER } from "../src/stack/run_file.ts";
import { testWhere } from "./needs.ts";
import { startSource } from "./programs.ts";
import { freePort, withStack } from "./stacks.ts";

/** The client, as people start it. @returns What it printed, and its code. */
async function client(target: string, flags: readonly string[]) {
  const run = startSource("client", [
    ...["--target", target, "--count", "3", "--rate", "20", ...flags],
  ]);
  return { code: await run.ended, text: run.text() };
}

Deno.test("up --tls: calls are balanced; strangers are refused in a sentence", async () => {
  const port = freePort();
  const run = startSource("lab", [
    ...["up", "--tls", "--no-page", "--port", String(port)],
    ...["--admin-port", String(freePort()), "--server-port", `${freePort()}`],
  ]);
  const strange = await Deno.makeTempDir({ dir: RUN_FOLDER, prefix: "test-" });
  try {
    await run.printed(/call 3 /);
    const answered = [...run.text().matchAll(/call \d+ +(server-\d)/g)]
      .map(([, server]) => server);
    assert.equal(new Set(answered).size, 3, run.text());
    const [, own = ""] = run.text()
      .match(/certificates for callers +(\S+)/) ?? [];

    for (const target of [`127.0.0.1:${port}`, `localhost:${port + 1}`]) {
      const { code, text } = await client(target, ["--tls", own]);
      assert.equal(code, 0, text);
      assert.match(text, /3 calls, 3 succeeded/);
    }
    const stranger = await Authority.create();
    const issued = await stranger.issue({
      name: "stranger",
      role: "client",
      lifetimeMs: 60_000,
    });
    const texts = {
      "ca.crt": stranger.certificate,
      "tls.crt": issued.certificate,
      "tls.key": issued.key,
    };
    for (
      const [strangeFiles, says] of [
        [
          ["ca.crt"],
          /^call 1 +UNAVAILABLE +[\d.]+ ms +The server's certificate is not signed by the authority in ca\.crt: use the ca\.crt of the authority that signed it$/m,
        ],
        [
          ["tls.crt", "tls.key"],
          /^call 1 +UNAVAILABLE +[\d.]+ ms +The server does not trust the certificate in tls\.crt: use one of an authority that the server trusts$/m,
        ],
      ] as const
    ) {
      for (const [name, text] of Object.entries(texts)) {
        const isStrange = strangeFiles.some((file) => file === name);
        await Deno.writeTextFile(
          join(strange, name),
          isStrange ? text : await Deno.readTextFile(join(own, name)),
        );
      }
      const refused = await client(`127.0.0.1:${port}`, ["--tls", strange]);
      assert.equal(refused.code, 1, refused.text);
      assert.match(refused.text, says);
      assert.match(refused.text, /3 calls, 0 succeeded, 3 failed/);
    }
    const load = startSource("lab", ["load", "--port", String(port)]);
    assert.equal(await load.ended, 3, load.text());
    assert.match(
      load.text(),
      /^load: localhost:\d+ speaks TLS, which load tests do not: start `.\/denow task up` without --tls, or name another port with --port\n$/,
    );
    const plain = await client(`127.0.0.1:${port}`, []);
    assert.equal(plain.code, 1, plain.text);
    assert.match(
      plain.text,
      /^call 1 .* The server speaks TLS: name a folder/m,
    );

    run.process.kill("SIGINT");
    assert.equal(await run.ended, 0, run.text());
    assert.match(run.text(), / 0 failed/);
    await assert.rejects(Deno.stat(own), { name: "NotFound" });
    assert.deepEqual(run.leftovers(), []);
  } finally {
    await Deno.remove(strange, { recursive: true });
  }
});

Deno.test("up --tls --docker is refused in a sentence", async () => {
  const run = startSource("lab", ["up", "--tls", "--docker"]);
  assert.equal(await run.ended, 2, run.text());
  assert.match(
    run.text(),
    /^up: --tls has no effect with --docker, .*docker compose --profile tls up --build --scale grpc-server=3; leave one of them out\n$/,
  );
});

const [grpcurl, whyNot] = await findTool("grpcurl").then(
  ({ path }) => [path, undefined] as const,
  (error: unknown) => ["", messageOf(error)] as const,
);

const testWithGrpcurl = testWhere("TLS with grpcurl", whyNot);

for (
  const [what, alpnProtocols, says] of [
    ["gets in with its certificate", ["h2"], /"server": "server-1"/],
    ["stays out, unless h2 is chosen", [], /missing selected ALPN property/],
  ] as const
) {
  testWithGrpcurl(`a gRPC client in Go ${what}`, () =>
    withStack(
      { servers: 1, tls: { alpnProtocols } },
      async ({ endpoint, certificates }) => {
        const file = (name: string) =>
          join(certificates?.clientFolder ?? "", name);
        const { stdout, stderr } = await runToEnd(grpcurl, [
          ...["-cacert", file("ca.crt"), "-cert", file("tls.crt")],
          ...["-key", file("tls.key"), "-max-time", "10"],
          ...[endpoint, "demo.v1.Greeter/SayHello"],
        ]);
        assert.match(stdout + stderr, says);
      },
    ));
}
