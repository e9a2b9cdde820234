import assert from "node:assert/strict";
import { type sendUnaryData, Server, status } from "@grpc/grpc-js";
import { listen } from "../io/_listen.ts";
import { Greeter } from "../io/proto.ts";
import { connect } from "../io/rpc.ts";
import { makeCall } from "./call.ts";

for (
  const [what, answer, expected] of [
    ["a reply", [null, { server: "a", number: 7 }], {
      kind: "reply",
      server: "a",
      number: 7,
    }],
    ["an error", [{ code: status.UNAVAILABLE, details: "no" }, undefined], {
      kind: "error",
      code: "UNAVAILABLE",
      details: "no",
    }],
  ] as const
) {
  Deno.test(`makeCall() records ${what} with number and latency`, async () => {
    let nowMs = 100;
    const server = new Server();
    server.addService(Greeter.service, {
      sayHello: (_: unknown, callback: sendUnaryData<unknown>) => {
        nowMs += 50;
        callback(answer[0], answer[1]);
      },
    });
    const port = await listen(server, "127.0.0.1", 0);
    const client = connect(Greeter, `127.0.0.1:${port}`);
    const config = {
      deadlineMs: 10_000,
      workMs: 0,
      method: "SayHello",
      characters: 5,
    } as const;
    const record = await makeCall(client, config, 2, () => nowMs);
    client.close();
    server.forceShutdown();
    assert.deepEqual(record, { ...expected, call: 2, latencyMs: 50 });
  });
}
