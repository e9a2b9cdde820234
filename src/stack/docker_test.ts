import assert from "node:assert/strict";
import { dockerFailure } from "./docker.ts";

const rows = [
  {
    what: "the builder does not reach the registry",
    stdout:
      `#4 ERROR: failed to do request: Head "https://gcr.io/v2/distroless/cc-debian12/manifests/nonroot": dial tcp: lookup gcr.io on 10.0.0.1:53: no such host`,
    message:
      /^Cannot pull a base image: the registry gcr\.io cannot be reached; load .*README/,
  },
  {
    what: "the engine does not reach the registry",
    stdout:
      `envoy Error Get "https://registry-1.docker.io/v2/": net/http: request canceled (Client.Timeout exceeded)`,
    message:
      /^Cannot pull a base image: the registry registry-1\.docker\.io cannot/,
  },
  {
    what: "a port is taken",
    stdout: "Bind for 127.0.0.1:5000 failed: port is already allocated",
    message:
      /^Cannot listen on 127\.0\.0\.1:5000: the port is taken; .*\.\/denow task down/,
  },
  {
    what: "anything else",
    stdout: "one\ntwo  \n",
    message: /^"docker compose up" failed: two$/,
  },
];

Deno.test("dockerFailure() makes a sentence of what Docker prints", () => {
  for (const { what, stdout, message } of rows) {
    const result = { code: 1, stdout, stderr: "" };
    const failure = dockerFailure(["compose", "--ansi", "never", "up"], result);
    assert.match(failure.message, message, what);
    assert.equal(failure.kind, "environment", what);
  }
});
