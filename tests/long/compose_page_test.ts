/** What the live page does to containers. */
import assert from "node:assert/strict";
import {
  dockerTest,
  leftovers,
  removeImages,
  upSurroundings,
} from "../containers.ts";
import { startSource } from "../programs.ts";
import { withUp } from "../up_page.ts";

dockerTest(
  "up --docker: the page scales, kills and switches as on the native stack",
  async () => {
    const { env } = upSurroundings();
    const project = env["COMPOSE_PROJECT_NAME"] ?? "";
    await withUp(["--docker"], async (up) => {
      const ask = async (wish: unknown) => {
        const { status, body } = await up.ask(wish);
        assert.equal(status, 200, body);
      };
      assert.equal((await up.state()).stack, "compose");
      await ask({ do: "scale", count: 4 });
      const { servers } = await up.state();
      assert.deepEqual(
        servers.map(({ name }) => name).toSorted(),
        ["server-1", "server-2", "server-3", "server-4"],
      );
      await ask({ do: "kill", server: "server-1" });
      await up.run.printed(/server-1 killed; .*back after/);
      await ask({ do: "protect", id: "retries", isOn: false });
      await up.run.printed(/Retries switched off; Envoy replaced in/);
      const { protections } = await up.state();
      const isOn = protections.find(({ id }) => id === "retries")?.isOn;
      assert.equal(isOn, false);
    }, (...args) => startSource("lab", args, env));
    assert.deepEqual(await leftovers(project), []);
    await removeImages(project);
  },
);
