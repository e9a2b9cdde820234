import assert from "node:assert/strict";
import { statusLine } from "./docker_engine.ts";

Deno.test("statusLine() says what there is and what is missing", () => {
  const none = { engine: undefined, compose: undefined, ourPid: undefined };
  assert.match(statusLine(none), /^No Docker engine answers; .* starts one$/);
  assert.match(
    statusLine({ ...none, engine: "20.10.24" }),
    /^Docker engine 20\.10\.24 has no Compose v2; .* makes it$/,
  );
  const all = { engine: "20.10.24", compose: "2.40.3", ourPid: undefined };
  assert.equal(
    statusLine(all),
    "Docker engine 20.10.24 (found here), Compose 2.40.3",
  );
  assert.equal(
    statusLine({ ...all, ourPid: 42 }),
    "Docker engine 20.10.24 (process 42), Compose 2.40.3",
  );
});
