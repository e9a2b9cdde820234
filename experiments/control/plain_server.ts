/**
 * What our server would be without its own transport: grpc-js on the runtime's
 * HTTP/2 module, with nothing counted and nothing refused. Controls start it in
 * place of our servers; it has the same services and flags.
 */
import { Server } from "@grpc/grpc-js";
import { listen } from "../../src/io/_listen.ts";
import { Admin, Greeter } from "../../src/io/proto.ts";
import { parseFlags } from "../../src/core/flags.ts";
import {
  listenForStop,
  runProgram,
  whenAborted,
} from "../../src/io/program.ts";
import { print } from "../../src/io/terminal.ts";
import { chat } from "../../src/server/chat.ts";
import { SERVER_FLAGS } from "../../src/server/config.ts";
import { countCalls, Counters } from "../../src/server/counters.ts";
import { createIdentity } from "../../src/server/greeting.ts";
import { Health } from "../../src/server/health.ts";
import { admin } from "../../src/server/admin.ts";
import { nameOfServer } from "../../src/server/name.ts";
import { sayHello } from "../../src/server/say_hello.ts";
import { streamHellos } from "../../src/server/stream_hellos.ts";

/**
 * Serves until it gets a signal.
 *
 * @param argv A server's flags.
 * @param answer How it answers SayHello (default as ours).
 * @returns The exit code.
 */
export async function plainServer(
  argv: readonly string[],
  answer: typeof sayHello = sayHello,
): Promise<number> {
  const { values } = parseFlags(SERVER_FLAGS, argv);
  const { host, maxMessageBytes } = values;
  const serverName = await nameOfServer(values);
  const stop = listenForStop();
  const counters = new Counters(serverName);
  const identity = createIdentity(serverName);
  const server = new Server({
    "grpc.max_receive_message_length": maxMessageBytes,
    "grpc.max_send_message_length": maxMessageBytes,
    "grpc.enable_channelz": 0,
    interceptors: [countCalls(counters)],
  });
  server.addService(Greeter.service, {
    sayHello: answer.bind(null, identity),
    streamHellos: streamHellos.bind(null, identity),
    chat: chat.bind(null, identity),
  });
  server.addService(Admin.service, admin(counters, undefined));
  new Health().addToServer(server);
  const port = await listen(server, host, values.port);
  print(`${serverName}: serving on ${host}:${port}`);
  await whenAborted(stop.signal);
  server.forceShutdown();
  return 0;
}

if (import.meta.main) {
  await runProgram("plain server", () => plainServer(Deno.args));
}
