/** The name that a server has in its replies. */
import { createSocket } from "node:dgram";
import { decode, encode, RECURSION_DESIRED } from "dns-packet";
import type { ServerConfig } from "./config.ts";

/** The name server of Docker's own networks, the same in every container. */
const DOCKER_DNS = { address: "127.0.0.11", port: 53 };

/** An answer takes a millisecond; a server that waits for it serves nobody. */
const ANSWER_LIMIT_MS = 1000;

/** Gives the first answer to a question of DNS. @throws {Error} When none. */
type LookUp = (name: string, type: "A" | "PTR") => Promise<string>;

/**
 * Asks Docker, past Deno's own resolver: that one finds a container's address
 * in its /etc/hosts, where it has no other name than its id.
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
      if (answer?.type !== type) throw new Error(`Docker knows no ${name}`);
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
 * The server's name: the given one, or, if that is asked for, one with the
 * number of its container in Docker Compose, or else the host name, which in a
 * container is its short id.
 *
 * @param lookUp Asks Docker's name server unless given.
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
    return undefined; // There is no such name server: this is not Compose.
  }
}
