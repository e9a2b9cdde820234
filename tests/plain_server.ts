/** A plain grpc-js server, without what ours does about bad peers. */
import { Server } from "@grpc/grpc-js";
import { listen } from "../src/io/_listen.ts";
import { Greeter } from "../src/io/proto.ts";
import { print } from "../src/io/terminal.ts";

const server = new Server();
server.addService(Greeter.service, {});
print(`serving on ${await listen(server, "127.0.0.1", 0)}`);
