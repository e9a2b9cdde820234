/** The name that a server has in its replies. */
import { createSocket } from "node:dgram";
import { decode, encode, RECURSION_DESIRED } from "dns-packet";
import type { ServerConfig } from "./config.ts";

/** Docker's name server, at the same address in every container. */
const DOCKER_DNS = { address: "127.0.0.11", port: 53 };

/** An answer takes a millisecond; until then the server does not serve. */
const ANSWER_LIMIT_MS = 1000;

/** Gives a DNS query's first answer. @throws {Error} When there is none. */
type LookUp = (name: string, type: "A" | "PTR") => Promise<string>;

/**
 * Asks Docker directly: Deno's resolver reads the container's /etc/hosts, where
 * its only name is its id.
 */
const askDocker: LookUp = (name, type) => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = createSocket("udp4");
  const timer = setTimeout(
    () => reject(new Error("No answer from Docker's name server")),
    ANSWER_LIMIT_MS,
  );
  socket.once("error", reject);
  socket.once("message", (message) => {
    try {
      const [answer] = decode(message).answers ?? [];
      if (answer?.type !== type) throw new Error(`Docker has no ${name}`);
      resolve(String(answer.data));
    } catch (error) {
      reject(error);
    }
  });
  const flags = RECURSION_DESIRED;
  const question = encode({
    type: "query",
    flags,
    questions: [{ type, name }],
  });
  socket.send(question, DOCKER_DNS.port, DOCKER_DNS.address);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
};

/**
 * The server's name: the one given; else, if requested, one with the
 * container's number in Docker Compose; else the host name, which in a
 * container is its short id.
 *
 * @param lookUp Resolves a name (default: asks Docker's name server).
 */
export async function nameOfServer(
  { serverName, hasDockerName }: Pick<
    ServerConfig,
    "serverName" | "hasDockerName"
  >,
  lookUp = askDocker,
): Promise<string> {
  if (serverName !== "") return serverName;
  const host = Deno.hostname();
  return (hasDockerName && await composeName(host, lookUp)) || host;
}

async function composeName(
  host: string,
  lookUp: LookUp,
): Promise<string | undefined> {
  try {
    const address = await lookUp(host, "A");
    const reversed = address.split(".").reverse().join(".");
    // "project-grpc-server-2.project_network"
    const name = await lookUp(`${reversed}.in-addr.arpa`, "PTR");
    const [, number] = /^[^.]+-(\d+)\./.exec(name) ?? [];
    return number === undefined ? undefined : `server-${number}`;
  } catch {
    return undefined; // No such name server: this is not Compose.
  }
}
