import assert from "node:assert/strict";
import { sha256OfFile } from "../io/digest.ts";
import { waitUntil } from "../io/wait.ts";
import { findOffers, type HandOut, handOut } from "./hand_out.ts";

const NAME = "grpc-demo-kit-1.0.0-linux-x86_64.tar.gz";

/** More than the buffers of a connection hold. */
const BYTES = 16_000_000;

interface Place {
  readonly folder: string;
  readonly desk: HandOut;
  readonly url: string;
  readonly received: string[];
}

async function inFolder(work: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "hand-out-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeKit(folder: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(BYTES).map((_, index) => index * 7 + index / 99);
  await Deno.writeFile(`${folder}/${NAME}`, bytes);
  const digest = await sha256OfFile(`${folder}/${NAME}`);
  await Deno.writeTextFile(`${folder}/${NAME}.sha256`, `${digest}  ${NAME}\n`);
  return bytes;
}

/** Hands out a kit. */
async function handingOut(
  work: (place: Place, bytes: Uint8Array) => Promise<void>,
  patience = { requestMs: 60_000, chunkMs: 60_000 },
): Promise<void> {
  await inFolder(async (folder) => {
    const bytes = await writeKit(folder);
    await Deno.writeTextFile(`${folder}/secret`, "secret");
    const received: string[] = [];
    const desk = handOut({
      ...{ offers: await findOffers(folder), address: "127.0.0.1", port: 0 },
      onReceived: (who, part) =>
        received.push(`${who} ${part.start}-${part.end}`),
      patience,
    });
    const url = `http://127.0.0.1:${desk.port}/`;
    try {
      await work({ folder, desk, url, received }, bytes);
    } finally {
      await desk.close();
    }
  });
}

/** Sends bytes and reads the answer to its end, or until it is closed. */
async function say({ desk }: Place, text: string): Promise<string> {
  using connection = await Deno.connect({
    hostname: "127.0.0.1",
    port: desk.port,
  });
  await connection.write(new TextEncoder().encode(text)).catch(() => 0);
  let answer = "";
  const buffer = new Uint8Array(65_536);
  try {
    for (let count; (count = await connection.read(buffer)) !== null;) {
      answer += new TextDecoder().decode(buffer.subarray(0, count));
    }
  } catch {
    // It was reset.
  }
  return answer;
}

Deno.test("handOut() gives the whole file, and its digest", async () => {
  await handingOut(async ({ url, received }, bytes) => {
    const response = await fetch(url + NAME);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes);
    const sum = await (await fetch(`${url}${NAME}.sha256`)).text();
    assert.equal(response.headers.get("etag"), `"${sum.slice(0, 64)}"`);
    assert.deepEqual(received, [`127.0.0.1 0-${BYTES}`]);
  });
});

Deno.test("handOut() goes on where a download ended", async () => {
  await handingOut(async ({ url }, bytes) => {
    const from = 9_999_999;
    const response = await fetch(url + NAME, {
      headers: { range: `bytes=${from}-` },
    });
    assert.equal(response.status, 206);
    assert.deepEqual(
      new Uint8Array(await response.arrayBuffer()),
      bytes.subarray(from),
    );
  });
});

Deno.test("handOut() gives nothing else", async () => {
  await handingOut(async (place) => {
    for (const path of ["/secret", "/../secret", `/${NAME}/../secret`]) {
      const answer = await say(place, `GET ${path} HTTP/1.1\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 404 /);
    }
    const head = await say(place, `HEAD /${NAME} HTTP/1.1\r\n\r\n`);
    assert.match(head, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/);
    assert.match(head, new RegExp(`\r\ncontent-length: ${BYTES}\r\n`));
  });
});

Deno.test("handOut() refuses a request that is too long", async () => {
  await handingOut(async (place) => {
    const answer = await say(
      place,
      `GET / HTTP/1.1\r\na: ${"a".repeat(20_000)}`,
    );
    assert.match(answer, /^HTTP\/1\.1 431 /);
  });
});

Deno.test("handOut() does not wait for a request that does not come", async () => {
  await handingOut(async (place) => {
    const answer = await say(place, "GET / HTTP/1.1\r\n");
    assert.match(answer, /^HTTP\/1\.1 408 /);
  }, { requestMs: 50, chunkMs: 60_000 });
});

Deno.test("handOut() lets go of those who do not read, and serves few of one address", async () => {
  await handingOut(async (place) => {
    const request = new TextEncoder().encode(`GET /${NAME} HTTP/1.1\r\n\r\n`);
    const stalled: Deno.Conn[] = [];
    try {
      while (stalled.length < 8) {
        const options = { hostname: "127.0.0.1", port: place.desk.port };
        const connection = await Deno.connect(options);
        stalled.push(connection);
        await connection.write(request);
        // The head has come, so it is being served.
        await connection.read(new Uint8Array(1));
      }
      const first = await say(place, "");
      assert.match(first, /^HTTP\/1\.1 503 [^]*\r\nretry-after: 5\r\n/);
      const isServed = async () => {
        const answer = await say(place, "GET / HTTP/1.1\r\n\r\n");
        return answer.startsWith("HTTP/1.1 200 ");
      };
      assert.ok(await waitUntil(isServed, 20_000));
      assert.deepEqual(place.received, []);
    } finally {
      stalled.forEach((connection) => connection.close());
    }
  }, { requestMs: 60_000, chunkMs: 1000 });
});

Deno.test("handOut() gives no file that has changed since", async () => {
  await handingOut(async ({ folder, url }) => {
    await Deno.writeTextFile(`${folder}/${NAME}`, "other");
    const response = await fetch(url + NAME);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /^The file has changed since/);
  });
});

Deno.test("handOut() says that a port is taken", async () => {
  await handingOut(async ({ desk, folder }) => {
    const offers = await findOffers(folder);
    const onReceived = () => {};
    const place = { address: "127.0.0.1", port: desk.port };
    assert.throws(() => handOut({ ...place, offers, onReceived }), {
      name: "Failure",
      message: `Cannot listen on 127.0.0.1, port ${desk.port}: the port is ` +
        "taken; choose another with --port",
    });
  });
});

for (
  const [what, change, message] of [
    [
      "a damaged archive",
      (folder: string) => Deno.writeTextFile(`${folder}/${NAME}`, "x"),
      /is not what .* is about: its digest is [0-9a-f]{64}; copy both again$/,
    ],
    [
      "an archive without a digest",
      (folder: string) => Deno.remove(`${folder}/${NAME}.sha256`),
      /has no digest beside it; put its .* there$/,
    ],
    [
      "another one's digest",
      (folder: string) =>
        Deno.writeTextFile(
          `${folder}/${NAME}.sha256`,
          `${"0".repeat(64)}  other\n`,
        ),
      /has no digest beside it; put its .* there$/,
    ],
    [
      "a folder without a kit",
      (folder: string) => Deno.remove(`${folder}/${NAME}`),
      /has no kit; put /,
    ],
    [
      "a folder that is not there",
      (folder: string) =>
        Deno.remove(folder, { recursive: true }).then(() =>
          Deno.writeTextFile(folder, "")
        ),
      /^Cannot read ".*": Not a directory .*--dir$/,
    ],
  ] as const
) {
  Deno.test(`findOffers() refuses ${what}`, async () => {
    await inFolder(async (folder) => {
      await writeKit(folder);
      await change(folder);
      await assert.rejects(findOffers(folder), { name: "Failure", message });
    });
  });
}
