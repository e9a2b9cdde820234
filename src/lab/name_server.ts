/** The name server of the native stack: it answers for the servers' name. */
import { createSocket, type Socket } from "node:dgram";
import { decode, encode } from "dns-packet";
import { Failure, messageOf } from "../core/errors.ts";

/** Envoy asks every second; nobody may keep an answer longer. */
const TTL_S = 1;

/** A running name server. */
export interface NameServer {
  /** Its UDP port on 127.0.0.1. */
  readonly port: number;
  /** From now on the name has these IPv4 addresses. */
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
    const reply = answer(message, name, addresses);
    if (reply !== undefined) socket.send(reply, peer.port, peer.address);
  });
  const port = await bind(socket);
  return {
    port,
    setAddresses: (list) => addresses = [...list],
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function bind(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once("error", (error) =>
      reject(
        new Failure(
          "environment",
          `Cannot start the name server on 127.0.0.1: ${messageOf(error)}`,
          { cause: error },
        ),
      ));
    socket.bind(0, "127.0.0.1", () => resolve(socket.address().port));
  });
}

/** The reply to one packet; undefined for what is no question. */
export function answer(
  packet: Uint8Array,
  name: string,
  addresses: readonly string[],
): Uint8Array | undefined {
  let query;
  try {
    query = decode(packet as Parameters<typeof decode>[0]);
  } catch {
    return undefined; // Not a DNS packet: whoever sent it gets no answer.
  }
  const [question] = query.questions ?? [];
  if (query.type !== "query" || question === undefined) return undefined;
  const isKnown = question.name.toLowerCase() === name;
  const nameError = 3;
  return encode({
    type: "response",
    id: query.id ?? 0,
    flags: isKnown ? 0 : nameError,
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
