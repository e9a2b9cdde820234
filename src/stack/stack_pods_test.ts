import assert from "node:assert/strict";
import type { Child, ExitStatus } from "../io/child.ts";
import type { Kubectl } from "./kubectl.ts";
import { StackPods } from "./stack_pods.ts";

/** A pod of the watch; what is left out is empty. */
interface Line {
  readonly type?: string;
  readonly app?: string;
  readonly deleted?: string;
  readonly container?: string;
  readonly exit?: string;
  readonly runs?: string;
}

const EVENTS = { code: 0, stdout: "b: early\na: no node has room\n" };

/** Pods whose watch is fed by the test, and what the cluster has noted. */
function newPods(events: { code: number; stdout: string } = EVENTS) {
  const reports: string[] = [];
  const followed: string[] = [];
  const end = Promise.withResolvers<ExitStatus>();
  const child = {
    exited: end.promise,
    kill: () => end.resolve({ code: 0, signal: null }),
  } as unknown as Child;
  let onEvent = (_: string) => {};
  const kubectl = {
    start: (args: readonly string[], onLine: (line: string) => void) => {
      if (args[0] === "get") onEvent = onLine;
      else followed.push(args.join(" "));
      return child;
    },
    tryTo: () => Promise.resolve({ stderr: "", ...events }),
  } as unknown as Kubectl;
  const pods = new StackPods(kubectl, {
    onLine: () => {},
    onCrash: (program, { code }) => reports.push(`${program} ended: ${code}`),
    onServerStart: (name) => reports.push(`${name} started`),
    onChange: () => {},
  });
  pods.start();
  const see = (name: string, line: Line) => {
    const { type = "MODIFIED", app = "grpc-server", deleted = "" } = line;
    const { container = "", exit = "", runs = "" } = line;
    onEvent(
      `${type}|${name}|${app}|${deleted}|10.0.0.1|True|0|x://${container}||${exit}|${runs}||`,
    );
  };
  return { pods, see, reports, followed };
}

Deno.test("StackPods reports a container that ends, and the next one", async () => {
  const { pods, see, reports, followed } = newPods();
  see("a", { type: "ADDED" });
  see("a", { container: "1", runs: "now" });
  see("a", { container: "1", runs: "now" });
  see("a", { container: "1", exit: "137" });
  see("a", { container: "1", exit: "137" });
  see("a", { container: "2", runs: "now" });
  assert.deepEqual(reports, [
    "server-1 started",
    "server-1 ended: 137",
    "server-1 started",
  ]);
  assert.deepEqual(followed, [
    "logs --follow pod/a",
    "logs --follow pod/a",
  ]);
  assert.deepEqual(pods.statusOf("a"), { code: 137, signal: "SIGKILL" });
  await pods.close();
});

Deno.test("StackPods reports a pod that others delete, and an Envoy by its pod", async () => {
  const { pods, see, reports } = newPods();
  for (const [name, app] of [["a", "grpc-server"], ["e", "envoy"]] as const) {
    see(name, { type: "ADDED", app, container: name, runs: "now" });
    see(name, { app, container: name, runs: "now", deleted: "soon" });
    see(name, { type: "DELETED", app, container: name, exit: "0" });
  }
  assert.deepEqual(reports, [
    "server-1 started",
    "server-1 ended: 0",
    "e ended: 0",
  ]);
  assert.deepEqual(pods.all, []);
  await pods.close();
});

Deno.test("StackPods reports no end that is expected", async () => {
  const { pods, see, reports } = newPods();
  see("a", { type: "ADDED", container: "1", runs: "now" });
  pods.expectEnd("1"); // Its container.
  see("a", { container: "1", exit: "137" });
  see("a", { container: "2", runs: "now" });
  pods.expectEnds("grpc-server"); // All their pods.
  see("a", { type: "DELETED", container: "2", exit: "0" });
  assert.deepEqual(reports, ["server-1 started", "server-1 started"]);
  await pods.close();
});

for (
  const { what, events, words } of [
    {
      what: "and the cluster's last warning",
      events: EVENTS,
      words:
        'a ends, and the cluster\'s last warning is "a: no node has room"; ' +
        "correct that, and try again",
    },
    {
      what: "where there is no warning",
      events: { code: 0, stdout: "" },
      words: "a ends; try again when the cluster's nodes are less busy",
    },
    {
      what: "where events may not be read",
      events: { code: 1, stdout: "x" },
      words: "a ends; try again when the cluster's nodes are less busy",
    },
  ]
) {
  Deno.test(`StackPods.until() says which pods it waited for, ${what}`, async () => {
    const { pods, see } = newPods(events);
    see("a", { type: "ADDED", deleted: "soon", container: "1", runs: "now" });
    await assert.rejects(pods.until(() => false, 0, "the end of server-1"), {
      message: `Waited 0 s for the end of server-1: ${words}`,
    });
    await pods.close();
  });
}
