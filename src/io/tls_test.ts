import assert from "node:assert/strict";
import { join } from "node:path";
import { Authority, type Wish } from "../stack/authority.ts";
import {
  readTlsFolder,
  requireTls,
  servedSerial,
  speaksTls,
  type TlsFiles,
  tlsOptionsOf,
  tlsProblem,
} from "./tls.ts";

const authority = await Authority.create();
const CLIENT: Wish = { name: "client", role: "client", lifetimeMs: 60_000 };
const SERVER: Wish = {
  ...{ name: "server", role: "server", lifetimeMs: 60_000 },
  ...{ hosts: ["localhost"] },
};

async function filesOf(wish = CLIENT): Promise<Required<TlsFiles>> {
  const { certificate, key } = await authority.issue(wish);
  return { authority: authority.certificate, certificate, key };
}

/** Reads a folder with these files; undefined ones are missing. */
async function reading(
  { authority, certificate, key }: Partial<TlsFiles>,
): Promise<{ readonly folder: string; readonly read: Promise<TlsFiles> }> {
  const folder = await Deno.makeTempDir({ prefix: "tls-test-" });
  const texts = { "ca.crt": authority, "tls.crt": certificate, "tls.key": key };
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined) Deno.writeTextFileSync(join(folder, name), text);
  }
  const read = readTlsFolder(folder);
  await read.catch(() => {});
  await Deno.remove(folder, { recursive: true });
  return { folder, read };
}

Deno.test("readTlsFolder() reads what belongs together", async () => {
  const files = await filesOf();
  assert.deepEqual(await (await reading(files)).read, files);
});

const other = await filesOf();
for (
  const [what, spoilt, says] of [
    [
      "a missing file",
      { key: undefined },
      /^Cannot read "FOLDER\/tls\.key": No such file .*; name a folder that has ca\.crt, tls\.crt and tls\.key$/,
    ],
    [
      "another key",
      { key: other.key },
      /^Cannot use "FOLDER": tls\.key is not the key of tls\.crt; copy both from the same place$/,
    ],
    [
      "a key that is none",
      { key: "x" },
      /tls\.key is not the key of tls\.crt/,
    ],
    [
      "a certificate that is none",
      { certificate: "x" },
      /: tls\.crt has no certificate in PEM; copy the client's there$/,
    ],
    [
      "an authority that is none",
      { authority: "" },
      /: ca\.crt has no certificate in PEM; copy the authority's there$/,
    ],
    [
      "an expired certificate",
      await filesOf({ ...CLIENT, lifetimeMs: -1000 }),
      /: tls\.crt has expired, at 20\d\d-.*Z; renew it$/,
    ],
  ] as const
) {
  Deno.test(`readTlsFolder() of ${what}`, async () => {
    const files: Record<string, string | undefined> = {
      ...await filesOf(),
      ...spoilt,
    };
    const { folder, read } = await reading(files as Partial<TlsFiles>);
    const error = await read.then(() => assert.fail(), (error) => error);
    assert.equal(error.name, "Failure");
    assert.match(error.message.replace(folder, "FOLDER"), says);
  });
}

/** A server that shows a certificate, and sends a byte to whoever speaks. */
async function withServer(
  wish: Wish,
  alpnProtocols: string[],
  work: (target: string, serial: string) => Promise<void>,
): Promise<void> {
  const { certificate, key, serial } = await authority.issue(wish);
  const listener = Deno.listenTls({
    ...{ hostname: "127.0.0.1", port: 0 },
    ...{ cert: certificate, key, alpnProtocols },
  });
  const serving = (async () => {
    for await (const connection of listener) {
      try {
        await connection.read(new Uint8Array(1));
        await connection.write(new Uint8Array(1));
      } catch {
        // The client does not like it, and says why itself.
      } finally {
        connection.close();
      }
    }
  })();
  try {
    await work(`127.0.0.1:${listener.addr.port}`, serial);
  } finally {
    listener.close();
    await serving.catch(() => {});
  }
}

const stranger = await Authority.create();
for (
  const [what, wish, alpn, change, says] of [
    ["a server that fits", SERVER, ["h2"], {}, undefined],
    [
      "a server that does not choose h2",
      SERVER,
      [],
      {},
      /did not choose h2 in the handshake \(ALPN\)/,
    ],
    [
      "an expired server",
      { ...SERVER, lifetimeMs: -2000 },
      ["h2"],
      {},
      /^The server's certificate has expired: renew it/,
    ],
    [
      "a server of another authority",
      SERVER,
      ["h2"],
      { authority: stranger.certificate },
      /^The server's certificate is not signed by the authority in ca\.crt/,
    ],
    [
      "a server with another name",
      { ...SERVER, hosts: ["elsewhere"] },
      ["h2"],
      {},
      /^The server's certificate is for another name/,
    ],
  ] as const
) {
  Deno.test(`tlsProblem() of ${what}`, async () => {
    const files = { ...await filesOf(), ...change };
    await withServer(wish, [...alpn], async (target) => {
      const why = await tlsProblem(target, () => Promise.resolve(files));
      if (says === undefined) assert.equal(why, undefined);
      else assert.match(why ?? "nothing", says);
    });
  });
}

Deno.test("tlsProblem() of a server in plain text, of none, and of an address elsewhere", async () => {
  const files = await filesOf();
  const source = () => Promise.resolve(files);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(1));
    await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad\r\n"));
    connection.close();
  })();
  assert.match(
    await tlsProblem(`127.0.0.1:${port}`, source) ?? "nothing",
    /^The server does not speak TLS: /,
  );
  await serving;
  listener.close();
  assert.equal(await tlsProblem(`127.0.0.1:${port}`, source), undefined);
  assert.match(
    await tlsProblem("192.0.2.1:443", source) ?? "nothing",
    /is called by the name in its certificate/,
  );
});

Deno.test("tlsProblem() says what is wrong with the client's own files", async () => {
  const why = await tlsProblem("127.0.0.1:1", () => readTlsFolder("/nowhere"));
  assert.match(why ?? "nothing", /^Cannot read "\/nowhere\/ca\.crt": /);
});

Deno.test("servedSerial() is the number of the certificate shown, expired or not", async () => {
  const files = await filesOf();
  for (const lifetimeMs of [60_000, -2000]) {
    await withServer(
      { ...SERVER, lifetimeMs },
      ["h2"],
      async (target, serial) => {
        const served = await servedSerial(target, () => Promise.resolve(files));
        assert.equal(served, serial);
      },
    );
  }
});

Deno.test("speaksTls() tells TLS from plain text and from nothing", async () => {
  let target = "";
  await withServer(SERVER, ["h2"], async (served) => {
    target = served;
    assert.equal(await speaksTls(target), true);
  });
  assert.equal(await speaksTls(target), false);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = listener.accept().then(async (connection) => {
    await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad\r\n"));
    connection.close();
  });
  assert.equal(await speaksTls(`127.0.0.1:${listener.addr.port}`), false);
  await serving;
  listener.close();
});

Deno.test("requireTls() refuses runtimes without it in a sentence", () => {
  requireTls("2.8.0");
  requireTls("2.9.3");
  assert.throws(() => requireTls("2.7.11"), {
    name: "Failure",
    message:
      /^TLS needs Deno 2\.8 or later, and this is Deno 2\.7\.11: use a program/,
  });
});

Deno.test("tlsOptionsOf() replaces addresses, which cannot be asked for, by a name", () => {
  const name = { "grpc.ssl_target_name_override": "localhost" };
  assert.deepEqual(tlsOptionsOf("127.0.0.1:5000"), name);
  assert.deepEqual(tlsOptionsOf("[::1]:5000"), name);
  assert.deepEqual(tlsOptionsOf("envoy-tls:5000"), {});
});
