import assert from "node:assert/strict";
import { nameOfServer } from "./name.ts";

const ADDRESS = "172.18.0.3";
const REVERSED = "3.0.18.172.in-addr.arpa";

/** A name server that knows one container, by address and name. */
function dockerDns(address: string, name: string) {
  return (query: string, type: "A" | "PTR") => {
    const answers = { [Deno.hostname()]: address, [REVERSED]: name };
    const isKnown = type === (query === REVERSED ? "PTR" : "A");
    const answer = isKnown ? answers[query] : undefined;
    return answer === undefined
      ? Promise.reject(new Deno.errors.NotFound())
      : Promise.resolve(answer);
  };
}

for (
  const [name, expected] of [
    ["demo-grpc-server-2.demo_grpc-network", "server-2"],
    ["my-1-grpc-server-12.my-1_grpc-network", "server-12"],
    // Not from Compose: a name without a number, or none.
    ["some_name.bridge", Deno.hostname()],
    ["", Deno.hostname()],
  ] as const
) {
  Deno.test(`nameOfServer() is ${expected} where Docker says "${name}"`, async () => {
    const asked = { serverName: "", hasDockerName: true };
    const dns = dockerDns(ADDRESS, name);
    assert.equal(await nameOfServer(asked, dns), expected);
  });
}

Deno.test("nameOfServer() is the host name where no Docker answers", async () => {
  const asked = { serverName: "", hasDockerName: true };
  const nobody = () => Promise.reject(new Deno.errors.ConnectionRefused());
  assert.equal(await nameOfServer(asked, nobody), Deno.hostname());
});

Deno.test("nameOfServer() makes no query when given a name or not asked for one", async () => {
  const fail = () => assert.fail("asked");
  const given = { serverName: "mine", hasDockerName: true };
  assert.equal(await nameOfServer(given, fail), "mine");
  const plain = { serverName: "", hasDockerName: false };
  assert.equal(await nameOfServer(plain, fail), Deno.hostname());
});
