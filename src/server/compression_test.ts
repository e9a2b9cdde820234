import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { gzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { callFields } from "../io/http2_frames.ts";
import { Fixture } from "./_fixture.ts";

/** A gRPC message: its flag, its length, its bytes. */
function message(flag: number, bytes: Uint8Array): Buffer {
  const head = Buffer.of(flag, 0, 0, 0, bytes.length);
  return Buffer.concat([head, bytes]);
}

/** Calls SayHello with these bytes. @returns The call's status and message. */
async function call(
  target: string,
  bytes: Buffer,
  encoding: string | undefined,
): Promise<readonly [code: number, details: string | undefined]> {
  const session = http2.connect(`http://${target}`);
  try {
    const stream = session.request({
      ...callFields(),
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
    });
    const found: Record<string, unknown> = {};
    // A failure may have its status in the headers, with no trailers.
    stream.on("response", (headers) => Object.assign(found, headers));
    stream.on("trailers", (trailers) => Object.assign(found, trailers));
    stream.end(bytes);
    stream.resume();
    await new Promise((resolve, reject) => {
      stream.on("end", resolve);
      stream.on("error", reject);
    });
    const details = found["grpc-message"];
    return [
      Number(found["grpc-status"]),
      details === undefined ? details : decodeURIComponent(String(details)),
    ];
  } finally {
    session.destroy();
  }
}

/** The name "a". */
const HELLO = Uint8Array.of(0x0a, 1, 97);

const refused = (flag: number) =>
  [
    status.INTERNAL,
    `Received a message with the compressed flag ${flag}, but ` +
    "grpc-encoding is missing or identity",
  ] as const;

for (
  const [what, bytes, encoding, expected] of [
    ["compressed, without an encoding", message(1, HELLO), , refused(1)],
    ["compressed as identity", message(1, HELLO), "identity", refused(1)],
    ["with a flag that does not exist", message(7, HELLO), , refused(7)],
    ["compressed with gzip", message(1, gzipSync(HELLO)), "gzip", [0, "OK"]],
    ["not compressed, as gzip may be", message(0, HELLO), "gzip", [0, "OK"]],
    ["not compressed", message(0, HELLO), , [0, "OK"]],
    ["compressed with zstd", message(1, HELLO), "zstd", [
      status.UNIMPLEMENTED,
      'Received message compressed with unsupported encoding "zstd"',
    ]],
  ] as const
) {
  Deno.test(`a message ${what} is answered as gRPC demands`, async () => {
    await using fixture = await Fixture.start();
    assert.deepEqual(await call(fixture.target, bytes, encoding), expected);
  });
}
