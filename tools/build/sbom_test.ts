import assert from "node:assert/strict";
import { PROJECT } from "../../bootstrap/docker/machine.ts";
import {
  executableComponent,
  type Lock,
  lockComponents,
  sbom,
} from "./sbom.ts";

const PROJECT_NAME = { name: "project", version: "1.2.3" };

/** The SHA-512 digest of nothing, as npm and as CycloneDX write it. */
const NPM_DIGEST =
  "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP" +
  "+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==";
const HEX_DIGEST =
  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36c" +
  "e9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

Deno.test("lockComponents() reads names, versions and digests", () => {
  const integrity = NPM_DIGEST;
  const lock: Lock = {
    npm: {
      "yaml@2.9.1": { integrity },
      "@grpc/reflection@1.0.4_@grpc+grpc-js@1.14.7": { integrity },
      "string_decoder@1.3.0-rc.1": { integrity },
      // The same package beside another peer.
      "@grpc/reflection@1.0.4_@grpc+grpc-js@1.14.8": { integrity },
    },
  };
  assert.deepEqual(
    lockComponents(lock).map((
      { name, version, purl },
    ) => [name, version, purl]),
    [
      ["yaml", "2.9.1", "pkg:npm/yaml@2.9.1"],
      ["@grpc/reflection", "1.0.4", "pkg:npm/%40grpc/reflection@1.0.4"],
      [
        "string_decoder",
        "1.3.0-rc.1",
        "pkg:npm/string_decoder@1.3.0-rc.1",
      ],
    ],
  );
  assert.deepEqual(lockComponents(lock)[0]?.hashes, [
    { alg: "SHA-512", content: HEX_DIGEST },
  ]);
});

Deno.test("lockComponents() refuses what it cannot read", () => {
  for (
    const npm of [
      { "yaml": { integrity: NPM_DIGEST } },
      { "yaml@1.0.0": {} },
      { "yaml@1.0.0": { integrity: "md5-abc=" } },
    ]
  ) {
    assert.throws(() => lockComponents({ npm }), { name: "RangeError" });
  }
});

Deno.test("sbom() refuses an empty lock file", () => {
  for (const lock of [{}, { npm: {} }]) {
    assert.throws(() => sbom(lock, PROJECT_NAME, []), {
      name: "RangeError",
      message: "Cannot list components: the lock file has none",
    });
  }
});

Deno.test("sbom() has every package of deno.lock and of the import map", async () => {
  const lock = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.lock`));
  const { components } = sbom(lock, PROJECT_NAME, []) as {
    components: readonly { readonly name: string; readonly version: string }[];
  };
  const listed = new Set(
    components.map(({ name, version }) => `${name}@${version}`),
  );
  const config = JSON.parse(await Deno.readTextFile(`${PROJECT}deno.json`));
  const imported = Object.values<string>(config.imports)
    .map((specifier) => specifier.replace(/^npm:\/?|\/$/g, ""));
  const locked = Object.keys(lock.npm).map((key) =>
    key.replace(/(@[^_@]+)_.*$/, "$1")
  );
  assert.ok(imported.length > 5 && locked.length > imported.length);
  for (const name of [...imported, ...locked]) {
    assert.ok(listed.has(name), name);
  }
});

Deno.test("sbom() lists an executable with its digest", () => {
  const lock = {
    npm: { "a@1.0.0": { integrity: "sha512-AAAA" } },
  };
  const digest = "ab".repeat(32);
  const part = executableComponent("k6", "1.8.1", "pkg:x/k6@1.8.1", digest);
  const { components } = sbom(lock, PROJECT_NAME, [part]) as {
    components: readonly unknown[];
  };
  assert.deepEqual(components[0], {
    ...{ type: "application", "bom-ref": "pkg:x/k6@1.8.1" },
    ...{ name: "k6", version: "1.8.1", purl: "pkg:x/k6@1.8.1" },
    hashes: [{ alg: "SHA-256", content: digest }],
  });
});
