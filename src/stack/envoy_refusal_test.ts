import assert from "node:assert/strict";
import { REFUSALS, spoil } from "./_refusals.ts";
import {
  type Cluster,
  moveToNative,
  parseEnvoyConfig,
} from "./envoy_config.ts";
import { useNameServer } from "./discovery_dns.ts";
import { refusalOf } from "./envoy_refusal.ts";

const AT = {
  host: "127.0.0.1",
  grpcPort: 15900,
  l4Port: 15901,
  adminPort: 15902,
} as const;

const useDns = (cluster: Cluster) => useNameServer(cluster, 15903, 15904);

/** What Envoy prints: a line of log about its configuration, and why alone. */
function printed(message: string): readonly string[] {
  const log = "[2026-11-26 01:40:00.000][1][critical][main] " +
    "[source/server/server.cc:449] error `";
  const cited = message.startsWith(": ")
    ? `goo.gle/debugstr  \nstatic_resources {\n}\n${message}`
    : message;
  const config = "` initializing config 'goo.gle/debugproto    \n {} '\n";
  return `${log}${cited}${config}${message}`.split("\n");
}

function sentence(lines: readonly string[], config: unknown): string {
  return refusalOf(lines, config, "my.yaml")?.message ?? "none";
}

for (const refused of REFUSALS) {
  const { what, message, says } = refused;
  Deno.test(`refusalOf() names ${what}`, () => {
    const config = moveToNative(parseEnvoyConfig(), AT, useDns);
    spoil(config, refused);
    assert.equal(
      sentence(printed(message), config),
      `Envoy refuses "my.yaml": ${says}; fix it there`,
    );
  });
}

Deno.test("refusalOf() reads what a validation prints", () => {
  const log = "[2026-11-26 02:04:32.079][1][critical][main] [a.cc:76] error " +
    "initializing configuration '': ";
  const lines = ["Network created", `${log}malformed IP address: nowhere`, ""];
  assert.equal(
    sentence(lines, { admin: { address: "nowhere" } }),
    'Envoy refuses "my.yaml": field admin.address: malformed IP address: ' +
      "nowhere; fix it there",
  );
});

for (
  const [what, message, expected] of [
    [
      "a port that is taken",
      "cannot bind '127.0.0.1:5000': Address already in use",
      "Envoy cannot listen on 127.0.0.1:5000: Address already in use; stop " +
      "what uses it or choose another port",
    ],
    [
      "an address of another machine",
      "cannot bind '192.0.2.1:5000': Cannot assign requested address",
      "Envoy cannot listen on 192.0.2.1:5000: Cannot assign requested " +
      "address; choose another address or port",
    ],
    [
      "what nobody has seen yet",
      `\x1b[2J${"far too long ".repeat(100)}`,
      `Envoy refuses "my.yaml": \\u{1b}[2J${"far too long ".repeat(15)}f…; ` +
      "fix it there",
    ],
    [
      "a path that leads nowhere",
      "Unable to parse JSON as proto (INVALID_ARGUMENT: invalid JSON in " +
      "envoy.config.bootstrap.v3.Bootstrap @ a[7].b: string, near 1:1 " +
      '(offset 0): it is wrong): {"a":[]}',
      'Envoy refuses "my.yaml": field a[7].b: it is wrong; fix it there',
    ],
    [
      "a constraint of another form",
      ": Proto constraint validation failed (AValidationError.B, odd)",
      'Envoy refuses "my.yaml": AValidationError.B, odd; fix it there',
    ],
  ] as const
) {
  Deno.test(`refusalOf() has a sentence for ${what}`, () => {
    assert.equal(sentence(printed(message), parseEnvoyConfig()), expected);
  });
}

Deno.test("refusalOf() blames the configuration only when Envoy does", () => {
  for (
    const lines of [[], ["[critical][backtrace] Caught Aborted"], ["error `"]]
  ) {
    assert.equal(sentence(lines, parseEnvoyConfig()), "none");
  }
});
