/** One call of the client. */
import type { CallRecord } from "../core/caller.ts";
import { printableName } from "../core/printable.ts";
import type { GreeterClient } from "../io/proto.ts";
import { type CallEnd, callToEnd, converse, readStream } from "../io/rpc.ts";
import type { ClientConfig } from "./config.ts";

/** The messages of each stream, and the interval between them. */
const STREAM = { count: 10, intervalMs: 100 } as const;

/** A server's message: its name, and its replies so far. */
interface Message {
  readonly server: string;
  readonly number: number;
}

/** The flags that concern each call. */
type CallConfig = Pick<
  ClientConfig,
  "deadlineMs" | "workMs" | "method" | "characters"
>;

/**
 * Makes a call and records it.
 *
 * @param call Its running number.
 * @param now The clock, in milliseconds.
 * @param onFirst Receives a stream's server when its first message comes.
 */
export async function makeCall(
  client: GreeterClient,
  config: CallConfig,
  call: number,
  now: () => number,
  onFirst: (server: string) => void = () => {},
): Promise<CallRecord> {
  const startedAtMs = now();
  let first: Message | undefined;
  let firstAtMs = 0;
  const onMessage = (message: Message) => {
    if (first !== undefined) return;
    first = message;
    firstAtMs = now();
    if (config.method !== "SayHello") onFirst(printableName(message.server));
  };
  const end = await METHODS[config.method](client, config, onMessage);
  const latencyMs = (first === undefined ? now() : firstAtMs) - startedAtMs;
  // Set in a closure, which the compiler does not see.
  const message = first as Message | undefined;
  if (end.status !== "OK" || message === undefined) {
    const { status, details } = end;
    return { kind: "error", code: status, details, call, latencyMs };
  }
  return {
    kind: "reply",
    server: printableName(message.server),
    number: message.number,
    call,
    latencyMs,
  };
}

/** How each method is called; the server's messages are passed on. */
const METHODS: Readonly<
  Record<
    CallConfig["method"],
    (
      client: GreeterClient,
      config: CallConfig,
      onMessage: (message: Message) => void,
    ) => Promise<CallEnd>
  >
> = {
  SayHello: async (client, { deadlineMs, workMs, characters }, onMessage) => {
    const request = { name: textOf(characters), workMs };
    const end = await callToEnd(client, "SayHello", request, { deadlineMs });
    if (end.reply !== undefined) onMessage(end.reply);
    return end;
  },
  StreamHellos: (client, { deadlineMs, characters }, onMessage) => {
    const request = { name: textOf(characters), ...STREAM };
    return readStream(
      client,
      "StreamHellos",
      request,
      { deadlineMs },
      onMessage,
    );
  },
  Chat: (client, { deadlineMs, characters }, onMessage) =>
    converse(client, { deadlineMs }, {
      ...STREAM,
      request: { text: textOf(characters) },
    }, onMessage),
};

/** "world", repeated or truncated to the length asked for. */
function textOf(characters: number): string {
  return "world".repeat(Math.ceil(characters / 5)).slice(0, characters);
}
