import assert from "node:assert/strict";
import { hostPort } from "./address.ts";
import { hostAndPort } from "./flags.ts";

for (
  const [host, expected] of [
    ["127.0.0.1", "127.0.0.1:80"],
    ["localhost", "localhost:80"],
    ["my_envoy", "my_envoy:80"],
    ["::1", "[::1]:80"],
    ["[::1]", "[::1]:80"],
    ["::", "[::]:80"],
  ] as const
) {
  Deno.test(`hostPort() writes ${host} as it can be typed again`, () => {
    assert.equal(hostPort(host, 80), expected);
    assert.equal(hostAndPort(expected), expected);
  });
}
