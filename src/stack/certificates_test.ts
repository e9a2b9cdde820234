import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readTlsFolder } from "../io/tls.ts";
import { Certificates } from "./certificates.ts";

async function inFolder(work: (folder: string) => Promise<void>) {
  const parent = await Deno.makeTempDir({ prefix: "certificates-test-" });
  try {
    await work(join(parent, "tls"));
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

const noFailure = (reason: string) => assert.fail(reason);

function names(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

function servedBy(folder: string): string {
  const path = join(folder, "server", "current", "tls.crt");
  return new X509Certificate(Deno.readTextFileSync(path)).serialNumber
    .toLowerCase();
}

Deno.test("Certificates.keep() makes files for both sides that only this user reads", async () => {
  await inFolder(async (folder) => {
    const certificates = await Certificates.keep(folder, {
      onFailure: noFailure,
    });
    const files = await readTlsFolder(certificates.clientFolder);
    const client = new X509Certificate(files.certificate);
    assert.ok(client.checkIssued(new X509Certificate(files.authority)));
    assert.equal(servedBy(folder), certificates.serial);
    for (const role of ["client", "server"]) {
      const { mode } = Deno.statSync(
        join(folder, role, certificates.serial, "tls.key"),
      );
      assert.equal((mode ?? 0) & 0o777, 0o600);
    }
    await certificates.close();
    await assert.rejects(Deno.stat(folder), { name: "NotFound" });
  });
});

Deno.test("renew() puts new files in place, and keeps those before, not older ones", async () => {
  await inFolder(async (folder) => {
    const certificates = await Certificates.keep(folder, {
      onFailure: noFailure,
    });
    const serials = [certificates.serial];
    for (let times = 0; times < 3; times += 1) {
      await certificates.renew();
      serials.push(certificates.serial);
      assert.equal(servedBy(folder), certificates.serial);
    }
    assert.equal(new Set(serials).size, 4);
    const kept = [...serials.slice(-2), "current"].sort();
    assert.deepEqual(names(join(folder, "client")), kept);
    assert.deepEqual(
      names(join(folder, "server")),
      [...kept, "client-ca.json", "server.json"].sort(),
    );
    await certificates.close();
  });
});

Deno.test("certificates are renewed long before they expire", async () => {
  await inFolder(async (folder) => {
    const certificates = await Certificates.keep(folder, {
      lifetimeMs: 400,
      onFailure: noFailure,
    });
    const first = certificates.serial;
    for await (const _ of Deno.watchFs(join(folder, "server"))) {
      if (certificates.serial !== first) break;
    }
    assert.notEqual(servedBy(folder), first);
    await certificates.close();
  });
});

Deno.test("a renewal that fails is said, and closing still works", async () => {
  await inFolder(async (folder) => {
    const reason = Promise.withResolvers<string>();
    const certificates = await Certificates.keep(folder, {
      lifetimeMs: 400,
      onFailure: reason.resolve,
    });
    await Deno.remove(join(folder, "client"), { recursive: true });
    await Deno.writeTextFile(join(folder, "client"), "in the way");
    assert.match(await reason.promise, /^certificates cannot be renewed: /);
    await certificates.close();
  });
});

Deno.test("Certificates.keep() says which folder cannot be written", async () => {
  await assert.rejects(
    Certificates.keep("/proc/nowhere", { onFailure: noFailure }),
    {
      name: "Failure",
      message:
        /^Cannot write certificates to "\/proc\/nowhere": .*; make it writable, or leave TLS out$/,
    },
  );
});
