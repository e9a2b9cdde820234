/** Opens a server's port, or says why it cannot. */
import { hostPort } from "../core/values.ts";
import { Failure, messageOf } from "../core/errors.ts";
import type { Http2Listener } from "./http2/listener.ts";

/**
 * Opens the port.
 *
 * @param port 0 for any free port.
 * @returns The port that was opened.
 * @throws {Failure} `environment` when it cannot be opened.
 */
export function openPort(
  listener: Pick<Http2Listener, "listen">,
  host: string,
  port: number,
): number {
  try {
    return listener.listen(host, port);
  } catch (error) {
    throw new Failure(
      "environment",
      `Cannot listen on ${hostPort(host, port)}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "the program's permissions in deno.json do not allow it; use " +
      "--host 0.0.0.0 or 127.0.0.1";
  }
  if (error instanceof Deno.errors.AddrInUse) {
    return "the port is taken; stop what uses it or choose another with --port";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "permission denied; choose a port above 1023 with --port";
  }
  const reason = messageOf(error).replace(/ \(os error \d+\)$/, "");
  return `${reason}; choose an address of this machine with --host`;
}
