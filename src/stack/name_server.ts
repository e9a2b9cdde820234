/** The native stack's DNS server, which resolves the servers' name. */
import { createSocket, type Socket } from "node:dgram";
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_DESIRED,
} from "dns-packet";
import { Failure, messageOf } from "../core/errors.ts";

/** Envoy resolves every second; nothing may cache an answer longer. */
const TTL_S = 1;

/** The response code NXDOMAIN: no such name. */
const NAME_ERROR = 3;

/** The question in a packet. */
interface Question {
  readonly name: string;
  readonly type: string;
}

/** A running name server. */
export interface NameServer {
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  /** Sets the IPv4 addresses of the name. */
  setAddresses(addresses: readonly string[]): void;
  close(): Promise<void>;
}

/**
 * Starts a name server on a free port of 127.0.0.1.
 *
 * @param name The only name that it knows; any other is NXDOMAIN.
 * @throws {Failure} `environment` when it cannot listen.
 */
export async function startNameServer(name: string): Promise<NameServer> {
  let addresses: readonly string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message, peer) => {
    const packet = answer(message, name, addresses);
    if (packet !== undefined) socket.send(packet, peer.port, peer.address);
  });
  const port = await bind(socket);
  // A resolver retries when a reply does not arrive.
  socket.on("error", () => {});
  return {
    port,
    setAddresses: (list) => addresses = [...list],
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function bind(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) =>
      reject(
        new Failure(
          "environment",
          `Cannot start the name server on 127.0.0.1: ${messageOf(error)}`,
          { cause: error },
        ),
      );
    socket.once("error", onError);
    socket.bind(0, "127.0.0.1", () => {
      socket.off("error", onError);
      resolve(socket.address().port);
    });
  });
}

/**
 * The reply to one packet; undefined if it is not a query.
 *
 * @param name The only known name, in lower case.
 * @param addresses Its IPv4 addresses; it has no others.
 */
export function answer(
  packet: Uint8Array,
  name: string,
  addresses: readonly string[],
): Uint8Array | undefined {
  try {
    const query = decode(packet);
    const [question] = query.questions ?? [];
    if (query.type !== "query" || question === undefined) return undefined;
    const asked = (query.flags ?? 0) & RECURSION_DESIRED;
    return reply(query.id ?? 0, asked, question, name, addresses);
  } catch {
    return undefined; // Not a DNS packet, so there is no reply.
  }
}

function reply(
  id: number,
  flags: number,
  question: Question,
  name: string,
  addresses: readonly string[],
): Uint8Array {
  const isKnown = question.name.toLowerCase() === name;
  return encode({
    type: "response",
    id,
    flags: flags | AUTHORITATIVE_ANSWER | (isKnown ? 0 : NAME_ERROR),
    questions: [question],
    answers: isKnown && question.type === "A"
      ? addresses.map((data) => ({
        type: "A" as const,
        name: question.name,
        ttl: TTL_S,
        data,
      }))
      : [],
  });
}
