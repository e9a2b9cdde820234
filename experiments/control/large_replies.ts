/**
 * A server whose replies fill an HTTP/2 window of 65,535 bytes exactly; for the
 * rest it is the plain server. Ours has no reply that is as long.
 */
import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import type { SayHelloRequest, SayHelloResponse } from "../../src/io/proto.ts";
import { runProgram } from "../../src/io/program.ts";
import type { Identity } from "../../src/server/greeting.ts";
import { plainServer } from "./plain_server.ts";

/** With its prefix of 5 bytes. */
const REPLY_BYTES = 65_535;

/** The prefix; the tag and length of the text, those of the name, a number. */
const AROUND_BYTES = 5 + 4 + 2 + 2;

function sayHello(
  { server }: Identity,
  _: ServerUnaryCall<SayHelloRequest, SayHelloResponse>,
  callback: sendUnaryData<SayHelloResponse>,
): void {
  const length = REPLY_BYTES - AROUND_BYTES - server.length;
  callback(null, { message: "x".repeat(length), server, number: 1 });
}

/**
 * Serves until it gets a signal.
 *
 * @param argv A server's flags.
 * @returns The exit code.
 */
export function largeReplies(argv: readonly string[]): Promise<number> {
  return plainServer(argv, sayHello);
}

if (import.meta.main) {
  await runProgram("server of large replies", () => largeReplies(Deno.args));
}
