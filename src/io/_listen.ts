/** Opens a port for a plain grpc-js server that is not part of the demo. */
import { promisify } from "node:util";
import { type Server, ServerCredentials } from "@grpc/grpc-js";

/**
 * Opens a port.
 *
 * @param port 0 for any free port.
 * @returns The port that was opened.
 */
export function listen(
  server: Server,
  host: string,
  port: number,
): Promise<number> {
  return promisify(server.bindAsync.bind(server))(
    `${host}:${port}`,
    ServerCredentials.createInsecure(),
  );
}
