import assert from "node:assert/strict";
import type { Outage } from "./discovery.ts";
import { edsDiscovery } from "./discovery_eds.ts";
import { type Cluster, parseEnvoyConfig } from "./envoy_config.ts";

async function inFolder(
  work: (parent: string) => Promise<void>,
): Promise<void> {
  const parent = await Deno.makeTempDir({ prefix: "eds-test-" });
  try {
    await work(parent);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

/** What a program's only folder has; undefined without a file. */
function contentIn(parent: string): string | undefined {
  const [folder] = [...Deno.readDirSync(parent)];
  const files = [...Deno.readDirSync(`${parent}/${folder?.name}`)];
  assert.ok(files.length <= 1, "an unfinished file is left");
  const [file] = files;
  return file &&
    Deno.readTextFileSync(`${parent}/${folder?.name}/${file.name}`);
}

function portsOf(content = ""): readonly number[] {
  return [...content.matchAll(/"port_value":(\d+)/g)].map(([, port]) =>
    Number(port)
  );
}

Deno.test("edsDiscovery() gives servers ports in a row, and names them in a file", async () => {
  await inFolder(async (parent) => {
    const discovery = await edsDiscovery(8080, parent);
    assert.deepEqual(portsOf(contentIn(parent)), []);
    const places = [1, 2, 3].map((number) => discovery.placeOf(number));
    assert.deepEqual(places[2], { host: "127.0.0.1", port: 8082 });
    // Of two at once, the later one holds.
    await Promise.all([
      discovery.publish(places),
      discovery.publish(places.slice(1)),
    ]);
    assert.deepEqual(portsOf(contentIn(parent)), [8081, 8082]);
    await discovery.close();
    assert.deepEqual([...Deno.readDirSync(parent)], []);
  });
});

for (
  const [outage, isContent] of [
    ["empty", (content) => content !== undefined && !content.includes("8080")],
    ["missing", (content) => content === undefined],
    ["failing", (content) => content === "{"],
  ] as const satisfies readonly (readonly [
    Outage,
    (content: string | undefined) => boolean,
  ])[]
) {
  Deno.test(`edsDiscovery() can be ${outage}, and mends`, async () => {
    await inFolder(async (parent) => {
      const discovery = await edsDiscovery(8080, parent);
      await discovery.publish([discovery.placeOf(1)]);
      await discovery.setOutage(outage);
      assert.ok(isContent(contentIn(parent)));
      await discovery.publish([1, 2].map((one) => discovery.placeOf(one)));
      assert.ok(isContent(contentIn(parent)));
      await discovery.setOutage(undefined);
      assert.deepEqual(portsOf(contentIn(parent)), [8080, 8081]);
      await discovery.close();
    });
  });
}

Deno.test("edsDiscovery() cannot be slow", async () => {
  await inFolder(async (parent) => {
    const discovery = await edsDiscovery(8080, parent);
    await assert.rejects(discovery.setOutage("slow"), RangeError);
    await discovery.close();
  });
});

Deno.test("edsDiscovery() removes what killed programs left, and no more", async () => {
  await inFolder(async (parent) => {
    // No process has this id: it is above Linux's highest.
    for (const pid of [4_194_305, Deno.pid]) {
      await Deno.mkdir(`${parent}/discovery-${pid}-0`);
    }
    const discovery = await edsDiscovery(8080, parent);
    const names = [...Deno.readDirSync(parent)].map(({ name }) => name);
    assert.ok(!names.includes("discovery-4194305-0"));
    assert.ok(names.includes(`discovery-${Deno.pid}-0`));
    await discovery.close();
  });
});

Deno.test("edsDiscovery() leaves nothing of DNS in a cluster", async () => {
  await inFolder(async (parent) => {
    const discovery = await edsDiscovery(8080, parent);
    const { clusters } = parseEnvoyConfig().static_resources;
    const before = clusters[0] as Cluster;
    const after = structuredClone(before);
    discovery.configure(after);
    assert.equal(after["type"], "EDS");
    const added = Object.keys(after).filter((key) => !(key in before));
    assert.deepEqual(added, ["eds_cluster_config"]);
    const gone = Object.keys(before).filter((key) => !(key in after));
    assert.ok(gone.every((key) => /dns|load_assignment/.test(key)), `${gone}`);
    await discovery.close();
  });
});

Deno.test("edsDiscovery() says where it cannot write", async () => {
  await inFolder(async (parent) => {
    await Deno.writeTextFile(`${parent}/file`, "");
    await assert.rejects(edsDiscovery(8080, `${parent}/file`), {
      name: "Failure",
      message:
        /^Cannot write the file of endpoints in ".*\/file\/.*": .*; make it/,
    });
  });
});
