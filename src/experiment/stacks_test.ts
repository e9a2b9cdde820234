import assert from "node:assert/strict";
import { Failure } from "../core/errors.ts";
import { onFreePorts } from "./stacks.ts";

const taken = new Failure(
  "environment",
  "server-1 did not start (exit code 3): Cannot listen on 127.0.0.1:23032: " +
    "the port is taken; stop what uses it",
);

/** Fails with each of these, and then gives its ports. */
function failing(failures: readonly Failure[]) {
  const ports: number[] = [];
  const started = onFreePorts(({ serverPort }) => {
    const failure = failures[ports.length];
    ports.push(serverPort);
    return failure ? Promise.reject(failure) : Promise.resolve(serverPort);
  });
  return { ports, started };
}

Deno.test("onFreePorts() takes other ports when its own are taken", async () => {
  const { ports, started } = failing([taken, taken]);
  assert.equal(await started, ports[2]);
  assert.equal(new Set(ports).size, 3);
});

Deno.test("onFreePorts() gives up when ports are taken again and again", async () => {
  const { ports, started } = failing([taken, taken, taken]);
  await assert.rejects(started, taken);
  assert.equal(ports.length, 3);
});

Deno.test("onFreePorts() does not try again what other ports cannot mend", async () => {
  const broken = new Failure("environment", "server-1 did not start: no file");
  const { ports, started } = failing([broken]);
  await assert.rejects(started, broken);
  assert.equal(ports.length, 1);
});
