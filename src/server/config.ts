/** The server's flags. */
import {
  type FlagRows,
  type FlagValues,
  port,
  wholeNumber,
  words,
} from "../core/flags.ts";

/** The demo's messages are below 100 bytes; 1 MiB leaves room for drills. */
const MESSAGE_BYTES_DEFAULT = 1_048_576;

/** The server's flags; each value can also come from the environment. */
export const SERVER_FLAGS = {
  host: {
    name: "host",
    placeholder: "ADDRESS",
    help: "Address to listen on; 0.0.0.0 means all of this machine's",
    default: "127.0.0.1",
    env: "SERVER_HOST",
    parse: words(255),
  },
  port: {
    name: "port",
    placeholder: "PORT",
    help: "Port to listen on; 0 takes any free port",
    default: 8080,
    env: "SERVER_PORT",
    parse: port(0),
  },
  serverName: {
    name: "name",
    placeholder: "NAME",
    help: "Name in every reply; the host name by default",
    default: "",
    env: "SERVER_NAME",
    parse: serverName,
  },
  hasDockerName: {
    name: "docker-name",
    help:
      "Take the name from Docker Compose's number for the container: server-2",
    switch: true,
  },
  maxMessageBytes: {
    name: "max-message-bytes",
    placeholder: "BYTES",
    help: "Largest message to receive or send",
    default: MESSAGE_BYTES_DEFAULT,
    env: "SERVER_MAX_MESSAGE_BYTES",
    parse: wholeNumber(1024, 67_108_864),
  },
  maxConnectionAgeMs: {
    name: "max-connection-age",
    placeholder: "MILLIS",
    help: "Close each connection gracefully at this age; 0 means never",
    default: 0,
    env: "SERVER_MAX_CONNECTION_AGE_MS",
    parse: wholeNumber(0, 86_400_000),
  },
  drainWaitMs: {
    name: "drain-wait",
    placeholder: "MILLIS",
    help: "When stopping, wait this long for health checkers to see it",
    default: 3000,
    env: "SERVER_DRAIN_WAIT_MS",
    parse: wholeNumber(0, 600_000),
  },
  closeDeadlineMs: {
    name: "close-deadline",
    placeholder: "MILLIS",
    help: "When stopping, cancel the calls still open after this long",
    default: 8000,
    env: "SERVER_CLOSE_DEADLINE_MS",
    parse: wholeNumber(0, 600_000),
  },
  memoryLimitMib: {
    name: "memory-limit",
    placeholder: "MIB",
    help: "Drain and exit, to be restarted, before memory exceeds this; " +
      "0 means the container's limit, or 256 if it has none",
    default: 0,
    env: "SERVER_MEMORY_LIMIT_MIB",
    parse: wholeNumber(0, 1_048_576),
  },
  allowFaults: {
    name: "allow-faults",
    help: "Let the Admin service inject faults, for experiments",
    switch: true,
  },
} as const satisfies FlagRows;

/** The server's configuration. */
export type ServerConfig = FlagValues<typeof SERVER_FLAGS>;

/** A name is sent as a header value, so it must be printable ASCII. */
function serverName(text: string): string {
  if (!/^[A-Za-z0-9._-]{1,63}$/.test(text)) {
    throw new RangeError(
      "must have 1 to 63 letters, digits, dots, dashes or underscores",
    );
  }
  return text;
}
