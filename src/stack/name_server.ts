/** A DNS server that resolves the servers' name, and can fail to. */
import { createSocket, type Socket } from "node:dgram";
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_DESIRED,
} from "dns-packet";
import { Failure, messageOf } from "../core/errors.ts";
import { pause } from "../io/wait.ts";
import type { Outage } from "./discovery.ts";

/** That of Docker's DNS, which Envoy ignores unless told otherwise. */
const TTL_S = 600;

/** The response code SERVFAIL. */
const SERVER_FAILURE = 2;

/** The response code NXDOMAIN: no such name. */
const NAME_ERROR = 3;

/** Below the 5 s after which Envoy's resolver gives up. */
const SLOW_MS = 2000;

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
  /** Makes it fail, or work again. */
  setOutage(outage: Outage | undefined): void;
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
  let outage: Outage | undefined;
  let isClosed = false;
  const socket = createSocket("udp4");
  socket.on("message", async (message, peer) => {
    if (outage === "silent") return;
    const packet = answer(message, name, addresses, outage);
    if (outage === "slow") await pause(SLOW_MS);
    if (packet === undefined || isClosed) return;
    socket.send(packet, peer.port, peer.address);
  });
  const port = await bind(socket);
  // A resolver retries when a reply does not arrive.
  socket.on("error", () => {});
  return {
    port,
    setAddresses: (list) => addresses = [...list],
    setOutage: (kind) => outage = kind,
    close: () => {
      isClosed = true;
      return new Promise((resolve) => socket.close(() => resolve()));
    },
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
 * @param outage How the server fails (default: not at all).
 */
export function answer(
  packet: Uint8Array,
  name: string,
  addresses: readonly string[],
  outage?: Outage,
): Uint8Array | undefined {
  try {
    const query = decode(packet);
    const [question] = query.questions ?? [];
    if (query.type !== "query" || question === undefined) return undefined;
    const asked = (query.flags ?? 0) & RECURSION_DESIRED;
    const isKnown = question.name.toLowerCase() === name &&
      outage !== "missing";
    return encode({
      type: "response",
      id: query.id ?? 0,
      flags: asked | AUTHORITATIVE_ANSWER |
        (outage === "failing" ? SERVER_FAILURE : isKnown ? 0 : NAME_ERROR),
      questions: [question],
      answers: isKnown && (outage === undefined || outage === "slow")
        ? records(question, addresses)
        : [],
    });
  } catch {
    return undefined; // Not a DNS packet, so there is no reply.
  }
}

function records({ name, type }: Question, addresses: readonly string[]) {
  if (type !== "A") return [];
  return addresses.map((data) => ({ type, name, ttl: TTL_S, data }) as const);
}
