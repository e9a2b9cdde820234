/** A server that does nothing, to measure how busy the machine is. */
import { type sendUnaryData, Server } from "@grpc/grpc-js";
import { listen } from "../io/_listen.ts";
import { Greeter } from "../io/proto.ts";

/** A running reference server. */
export interface Reference {
  /** "127.0.0.1:port". */
  readonly target: string;
  readonly close: () => void;
}

/** Starts one in this process, which is mostly idle during a run. */
export async function startReference(): Promise<Reference> {
  const server = new Server();
  server.addService(Greeter.service, {
    SayHello: (_: unknown, done: sendUnaryData<unknown>) => done(null, {}),
  });
  const port = await listen(server, "127.0.0.1", 0);
  return {
    target: `127.0.0.1:${port}`,
    close: () => server.forceShutdown(),
  };
}
