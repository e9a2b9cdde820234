import assert from "node:assert/strict";
import { podEventOf, ServerNumbers } from "./pods.ts";

const RUNS =
  "MODIFIED|grpc-server-a|grpc-server||10.244.0.8|True|1|containerd://abc|137||2026-11-26T09:09:07Z||";

Deno.test("podEventOf() reads a pod that runs again after a kill", () => {
  assert.deepEqual(podEventOf(RUNS), {
    isGone: false,
    pod: {
      name: "grpc-server-a",
      app: "grpc-server",
      address: "10.244.0.8",
      isReady: true,
      isLeaving: false,
      containerId: "abc",
      isRunning: true,
      restarts: 1,
      exitCode: 137,
      waiting: "",
      waitingWords: "",
    },
  });
});

Deno.test("podEventOf() reads why an image is missing, separators included", () => {
  const event = podEventOf(
    "ADDED|envoy-a|envoy|||False|0|||||ErrImagePull|no such image: a|b",
  );
  assert.equal(event?.pod.waiting, "ErrImagePull");
  assert.equal(event?.pod.waitingWords, "no such image: a|b");
  assert.equal(event?.pod.isRunning, false);
  assert.equal(event?.pod.exitCode, undefined);
});

Deno.test("podEventOf() reads how a deleted pod has ended", () => {
  const event = podEventOf(
    "DELETED|grpc-server-a|grpc-server|2026-11-26T09:09:15Z|10.244.0.8|False|0|containerd://abc||0|||",
  );
  assert.equal(event?.isGone, true);
  assert.equal(event?.pod.isLeaving, true);
  assert.equal(event?.pod.exitCode, 0);
});

Deno.test("podEventOf() passes over what is no event", () => {
  assert.equal(podEventOf(""), undefined);
  assert.equal(podEventOf("the rest of a message"), undefined);
  assert.equal(
    podEventOf("error: the server closed the connection"),
    undefined,
  );
});

/** Names of the servers and their pods, as "server-1: a b". */
function shown(numbers: ServerNumbers): readonly string[] {
  return numbers.servers().map(({ name, pods }) =>
    `${name}: ${pods.join(" ")}`
  );
}

Deno.test("ServerNumbers gives each new pod the lowest free number", () => {
  const numbers = new ServerNumbers();
  for (const pod of ["a", "b", "c"]) numbers.add(pod, () => false);
  numbers.remove("b");
  assert.equal(numbers.add("d", () => false), true);
  assert.equal(numbers.add("d", () => false), false);
  assert.deepEqual(shown(numbers), [
    "server-1: a",
    "server-2: d",
    "server-3: c",
  ]);
});

Deno.test("ServerNumbers gives a pod the name of the one it replaces", () => {
  const numbers = new ServerNumbers();
  for (const pod of ["a", "b"]) numbers.add(pod, () => false);
  numbers.add("c", (other) => other === "a");
  // "b" stays, and "a" has its heir.
  numbers.add("d", (other) => other === "a");
  assert.deepEqual(shown(numbers), [
    "server-1: a c",
    "server-2: b",
    "server-3: d",
  ]);
  numbers.remove("a");
  assert.deepEqual(shown(numbers), [
    "server-1: c",
    "server-2: b",
    "server-3: d",
  ]);
  // Replies that were under way still have the old pod's name.
  assert.equal(numbers.nameOf("a"), "server-1");
  assert.equal(numbers.nameOf("c"), "server-1");
  assert.equal(numbers.nameOf("strange"), undefined);
});
