/** What adapt() makes of any configuration, shown to Envoy itself. */
import assert from "node:assert/strict";
import { adapt } from "../src/adapt/adapt.ts";
import { Failure } from "../src/core/errors.ts";
import { readConfiguration } from "../src/doctor/configuration.ts";
import { findTool } from "../src/io/tools.ts";
import { useNameServer } from "../src/stack/discovery_dns.ts";
import { moveToNative } from "../src/stack/envoy_config.ts";
import { validateWithEnvoy } from "../src/stack/envoy_validate.ts";

const ENVOY = await findTool("envoy");

const FOLDERS = ["src/doctor/cases", "src/adapt/cases"];

/** Those without a call to servers, or that no Envoy takes. */
const REFUSED = [
  ...["bomb", "crash-unresolved-alias", "deep", "eds", "fn-missing-cluster"],
  ...["fn-v2-config", "proto", "recursive", "routes", "secrets"],
];

const PLACE = {
  host: "127.0.0.1",
  grpcPort: 5000,
  l4Port: 5001,
  adminPort: 9901,
  serverPlaces: [{ host: "127.0.0.1", port: 8080 }],
};

Deno.test("Envoy takes what adapt() makes of every configuration here", async () => {
  const refused: string[] = [];
  for (const folder of FOLDERS) {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
      .filter((name) => name.endsWith(".yaml")).sort();
    assert.ok(names.length > 2, folder);
    for (const name of names) {
      const read = (path: string) =>
        readConfiguration(Deno.readTextFileSync(`${folder}/${path}`), path);
      try {
        const { config } = adapt(read(name), { readNamed: read });
        const moved = moveToNative(
          config,
          PLACE,
          (cluster) => useNameServer(cluster, 8080, 5353),
        );
        const verdict = await validateWithEnvoy(
          ENVOY.path,
          { text: JSON.stringify(moved), folder },
          moved,
        );
        assert.deepEqual(verdict, { kind: "accepted" }, name);
      } catch (error) {
        assert.ok(error instanceof Failure, `${name}: ${error}`);
        refused.push(name.replace(".yaml", ""));
      }
    }
  }
  assert.deepEqual(refused, REFUSED);
});
