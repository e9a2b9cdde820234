/** What the real Envoy refuses, in the sentences that users read. */
import assert from "node:assert/strict";
import { freePort } from "./stacks.ts";
import { findTool } from "../src/io/tools.ts";
import { EnvoyAdmin } from "../src/stack/envoy_admin.ts";
import {
  type Cluster,
  moveToNative,
  parseEnvoyConfig,
} from "../src/stack/envoy_config.ts";
import { useNameServer } from "../src/stack/discovery_dns.ts";
import { EnvoyProcess } from "../src/stack/envoy_process.ts";
import { REFUSALS, spoil } from "../src/stack/_refusals.ts";

const AT = {
  host: "127.0.0.1",
  grpcPort: freePort(),
  l4Port: freePort(),
  adminPort: freePort(),
} as const;

const [SERVER_PORT, RESOLVER_PORT] = [freePort(), freePort()];

const useDns = (cluster: Cluster) =>
  useNameServer(cluster, SERVER_PORT, RESOLVER_PORT);

/** Why Envoy does not start, with the port that our rows have. */
async function whyNot(
  change: (config: ReturnType<typeof parseEnvoyConfig>) => void,
): Promise<string> {
  const config = moveToNative(parseEnvoyConfig(), AT, useDns);
  change(config);
  const lines: string[] = [];
  const envoy = new EnvoyProcess({
    path: (await findTool("envoy")).path,
    config,
    configName: "my.yaml",
    admin: new EnvoyAdmin(`127.0.0.1:${AT.adminPort}`),
    concurrency: 1,
    onLine: (line) => lines.push(line),
    onCrash: () => {},
  });
  const why = await envoy.start().then(
    () => "it starts",
    ({ message }) => String(message).replaceAll(String(AT.grpcPort), "15900"),
  );
  await envoy.stop();
  assert.deepEqual(lines, []);
  return why;
}

Deno.test("control: Envoy takes what is not spoilt", async () => {
  assert.equal(await whyNot(() => {}), "it starts");
});

for (const refused of REFUSALS) {
  Deno.test(`Envoy refuses ${refused.what}`, async () => {
    assert.equal(
      await whyNot((config) => spoil(config, refused)),
      `Envoy refuses "my.yaml": ${refused.says}; fix it there`,
    );
  });
}

Deno.test("a port that is taken is no fault of the configuration", async () => {
  using _ = Deno.listen({ hostname: "127.0.0.1", port: AT.grpcPort });
  assert.equal(
    await whyNot(() => {}),
    "Envoy cannot listen on 127.0.0.1:15900: Address already in use; stop " +
      "what uses it or choose another port",
  );
});
