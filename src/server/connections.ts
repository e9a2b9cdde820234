/** The connections of one server, to be ended when grpc-js cannot. */
import type { Socket } from "node:net";
import type { Server } from "@grpc/grpc-js";

/** The part of Node's HTTP/2 server that is used here. */
interface Http2Server {
  on(event: "connection", listener: (socket: Socket) => void): void;
}

/** Knows the connections of a server and can end them. */
export class Connections {
  readonly #sockets = new Map<string, Socket>();
  #isRefusing = false;

  /**
   * Watches a server that listens.
   *
   * grpc-js offers no way to its connections, so this reads the HTTP/2 servers
   * that it keeps for itself.
   */
  watch(server: Server): void {
    const { http2Servers } = server as unknown as {
      readonly http2Servers: ReadonlyMap<Http2Server, unknown>;
    };
    for (const http2Server of http2Servers.keys()) {
      http2Server.on("connection", (socket) => this.#add(socket));
    }
  }

  /** Ends the connection with this peer, "host:port", without a word. */
  drop(peer: string): void {
    this.#sockets.get(peer)?.destroy();
  }

  /** Ends every connection without a word. */
  dropAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Closes every new connection at once, or no longer. */
  setRefusing(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  #add(socket: Socket): void {
    if (this.#isRefusing) {
      socket.destroy();
      return;
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sockets.set(peer, socket);
    socket.on("close", () => this.#sockets.delete(peer));
  }
}
