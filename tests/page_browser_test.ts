/** The live page as people use it: in a real browser, beside real calls. */
import assert from "node:assert/strict";
import { browserTest, drive, type Tab } from "./browser.ts";
import { makeCopy } from "./lesson_copy.ts";
import { withUp } from "./up_page.ts";

/** A number on the page; it may have separators. */
async function numberAt(tab: Tab, selector: string): Promise<number> {
  return Number((await tab.text(selector)).replace(/[^0-9.]/g, ""));
}

/** Chooses the load by the page's preset, and waits until it is told. */
async function preset(tab: Tab, name: string): Promise<void> {
  await tab.click(`[data-preset="${name}"]`);
}

browserTest(
  "the page shows L4 beside L7, and its counts are the servers'",
  async () => {
    await withUp([], async (up) => {
      await drive(up.url, async (tab) => {
        await tab.until(`document.querySelectorAll(".card").length === 3`);
        await preset(tab, "beside");
        const share = (listener: string, server: number) =>
          numberAt(tab, `#share-${listener}-server-${server}`);
        await tab.until(
          `[1,2,3].every((n) => /^3[2-5]/.test(document
          .querySelector("#share-l7-server-" + n)?.textContent.trim()))`,
        );
        const pinned = [];
        for (const server of [1, 2, 3]) pinned.push(await share("l4", server));
        assert.deepEqual(pinned.sort((a, b) => a - b), [0, 0, 100]);
        await tab.click("#stop");
        await tab.until(
          `document.querySelector("#verdict").dataset.agrees === "true"`,
        );
        const { servers, ledgers } = await up.state();
        const started = servers.reduce((sum, one) => sum + one.started, 0);
        assert.equal(await numberAt(tab, "#ledger-servers"), started);
        assert.equal(ledgers.callers.l7 + ledgers.callers.l4, started);
        assert.equal(
          await numberAt(tab, "#ledger-callers"),
          ledgers.callers.l7 + ledgers.callers.l4,
        );
        assert.deepEqual(tab.complaints, []);
      });
    });
  },
);

browserTest(
  "a server killed by its button is seen out, and then back",
  async () => {
    await withUp([], async (up) => {
      await drive(up.url, async (tab) => {
        await tab.until(`document.querySelectorAll(".card").length === 3`);
        await preset(tab, "busy");
        await tab.until(`/[1-9]/.test(document
        .querySelector("#share-l7-server-2")?.textContent)`);
        await tab.click('[data-server="server-2"][data-action="kill"]');
        await tab.until(`document
        .querySelector('.row[data-server="server-2"]').matches(".is-out")`);
        await tab.until(`!document
        .querySelector('.row[data-server="server-2"]').matches(".is-out")`);
        await tab.until(
          `[...document.querySelectorAll("#stories li")].some((li) =>
        li.textContent.includes("server-2 killed") &&
        li.dataset.open === "false")`,
        );
        const story = await tab.evaluate<string>(
          `[...document.querySelectorAll("#stories li")].find((li) =>
          li.textContent.includes("server-2 killed")).textContent`,
        );
        const { envoy, ledgers } = await up.state();
        const [, retried, lost] =
          /(\d+) calls? retried, (\d+) lost/.exec(story) ??
            [];
        assert.equal(Number(retried), envoy.retries, story);
        assert.equal(Number(lost), ledgers.lost.l7, story);
        assert.equal(ledgers.lost.l7, 0, "retries hide a server that dies");
        await tab.click("#scale-up");
        await tab.click("#scale-up");
        await tab.until(`document.querySelectorAll(".card").length === 5`);
        assert.deepEqual(tab.complaints, []);
      });
    });
  },
);

browserTest(
  "without retries a killed server loses calls; with them none",
  async () => {
    await withUp([], async (up) => {
      await drive(up.url, async (tab) => {
        await tab.until(`document.querySelectorAll(".card").length === 3`);
        await preset(tab, "busy");
        const kill = async (server: string) => {
          const before = (await up.state()).ledgers.lost.l7;
          await tab.click(`[data-server="${server}"][data-action="kill"]`);
          await tab.until(
            `[...document.querySelectorAll("#stories li")].some((li) =>
          li.textContent.includes("${server} killed") &&
          li.dataset.open === "false")`,
          );
          return (await up.state()).ledgers.lost.l7 - before;
        };
        const turn = async (isOn: boolean) => {
          await tab.click("#protection-retries");
          await tab.until(`document.querySelector("#protection-retries")
          .getAttribute("aria-checked") === "${isOn}"`);
        };
        await turn(false);
        assert.ok(await kill("server-1") > 0, "no retries, and nothing lost");
        await turn(true);
        assert.equal(await kill("server-2"), 0);
        assert.deepEqual(tab.complaints, []);
      });
    });
  },
);

browserTest(
  "a lesson is started, hinted at, checked and solved on the page",
  async () => {
    await using copy = await makeCopy();
    await withUp([], async (up) => {
      await drive(up.url, async (tab) => {
        const press = (words: string) =>
          tab.evaluate<string>(
            `[...document.querySelectorAll("#lesson-actions button")]
            .find((one) => one.textContent === "${words}").click(), ""`,
          );
        const says = (words: string) =>
          tab.until(`document.querySelector("#lesson-result")
          .textContent.includes("${words}")`);
        await tab.until(`document.querySelector("[data-lesson=panic]")`);
        await tab.click("[data-lesson=panic]");
        await tab.until(`document.activeElement.id === "lesson-title"`);
        assert.match(await tab.text("#lesson-text"), /denow task up --config/);
        await press("Hint");
        await says("Hint 1 of 3");
        await copy.write("lb_policy: [");
        await press("Check");
        await says("Cannot parse my/05-panic/envoy.yaml");
        await press("Solve");
        await says("what it was is now my/05-panic/envoy.yaml.1");
        await press("Check");
        await tab.until(`/^(Solved|Cannot tell)/.test(document
        .querySelector("#lesson-result").textContent)`);
        const refused = tab.complaints.filter((one) => !one.includes("502"));
        assert.deepEqual(refused, []);
      });
    }, copy.lab);
  },
);
