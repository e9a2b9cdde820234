import assert from "node:assert/strict";
import { grpcCluster } from "../experiment/changes.ts";
import { type EnvoyConfig, parseEnvoyConfig } from "../stack/envoy_config.ts";
import type { Stack } from "../stack/stack.ts";
import { type Action, Refusal } from "./actions.ts";
import { LOAD_AT_FIRST } from "./callers.ts";
import { Looks } from "./looks.ts";
import { Performer } from "./performer.ts";
import type { LoadState } from "./state.ts";
import { Stories } from "./stories.ts";
import { Watch } from "./watch.ts";

/** A performer on a stack of one server that notes what is done to it. */
function performerOn(
  { own = {}, config = parseEnvoyConfig() }: {
    readonly own?: Partial<Stack>;
    readonly config?: EnvoyConfig;
  },
) {
  const done: string[] = [];
  const stack = {
    servers: () => [
      { name: "server-1", address: "127.0.0.1:8080", isRunning: true },
    ],
    admin: {
      stats: () => Promise.resolve(new Map([["server.live", 1]])),
      hosts: () => Promise.resolve([]),
    },
    stop: (name: string, signal: string) => {
      done.push(`${name} ${signal}`);
      return Promise.resolve({ code: 0, signal: null });
    },
    start: (name: string) => Promise.resolve(void done.push(`${name} start`)),
    replaceEnvoy: () => Promise.resolve(void done.push("another Envoy")),
    ...own,
  } as unknown as Stack;
  const watch = new Watch(stack, config);
  const looks = new Looks(watch, () => ({ l7: 0, l4: 0 }), () => {});
  const stories = new Stories(() => {});
  const callers = {
    load: LOAD_AT_FIRST,
    change: (load: LoadState) => void done.push(`${load.ratePerS} a second`),
  };
  const performer = new Performer({
    ...{ stack, config, callers, watch, looks, stories },
    onConfig: () => {},
    onFailure: (failure) => void done.push(failure.message),
  });
  looks.close(); // Nothing is waited for.
  const act = (action: Action) => performer.perform("ctl", action);
  const told = () => stories.kept.map(({ text }) => text);
  return { performer, act, told, done, stories, watch };
}

Deno.test("Performer tells when an action fails, and is not busy any more", async () => {
  const { performer, act, stories } = performerOn({
    own: { stop: () => Promise.reject(new Error("no such process")) },
  });
  const action = { do: "kill", server: "server-1" } as const;
  await assert.rejects(act(action), /no such process/);
  assert.deepEqual(stories.kept.map(({ text, isOpen }) => [text, isOpen]), [
    ["server-1 killed; it failed: no such process", false],
  ]);
  assert.equal(performer.busy, "");
});

Deno.test("Performer: without draining a server is killed, and its counts are lost", async () => {
  const { performer, act, done, told } = performerOn({});
  const restart = { do: "restart", server: "server-1" } as const;
  await act(restart);
  assert.equal(performer.isCut, false);
  await act({ do: "protect", id: "draining", isOn: false });
  await act(restart);
  assert.equal(performer.isCut, true);
  assert.deepEqual(done, [
    ...["server-1 SIGTERM", "server-1 start"],
    ...["server-1 SIGKILL", "server-1 start"],
  ]);
  assert.equal(told()[1], "Draining switched off");
});

Deno.test("Performer replaces Envoy for a protection of Envoy's, and says so once", async () => {
  const { performer, act, done, told } = performerOn({});
  assert.equal(performer.hasReplacedEnvoy, false);
  await act({ do: "protect", id: "retries", isOn: false });
  assert.equal(performer.hasReplacedEnvoy, true);
  assert.deepEqual(done, ["another Envoy"]);
  assert.match(
    told()[0] ?? "",
    /^Retries switched off; Envoy replaced in \d+\.\d s, 0 lost$/,
  );
  const isOn = (id: string) =>
    performer.protections.find((one) => one.id === id)?.isOn;
  assert.equal(isOn("retries"), false);
  assert.equal(isOn("health-checks"), true);
});

Deno.test("Performer: figures that the configuration limits follow its switches", async () => {
  const { act, watch } = performerOn({});
  const allowed = async (isOn: boolean) => {
    await act({ do: "protect", id: "retry-budget", isOn });
    await watch.askEnvoy();
    return watch.envoy.retriesAllowed;
  };
  assert.deepEqual([await allowed(false), await allowed(true)], [3, 20]);
});

Deno.test("Performer refuses a protection that the configuration does not have", async () => {
  const config = parseEnvoyConfig();
  delete grpcCluster(config)["outlier_detection"];
  const { act, done, told } = performerOn({ config });
  await assert.rejects(
    act({ do: "protect", id: "outlier-detection", isOn: false }),
    (error) => error instanceof Refusal && /none to switch/.test(error.message),
  );
  assert.deepEqual([done, told()], [[], []]);
});

Deno.test("Performer: a server that ended by itself is not started once all is over", () => {
  const { performer, done, told } = performerOn({});
  performer.noteCrash("server-1", { code: 1, signal: null });
  performer.close();
  assert.match(told()[0] ?? "", /^server-1 ended unexpectedly \(/);
  assert.deepEqual(done, []);
});
