/** The live page as people use it: in a real browser, beside real calls. */
import assert from "node:assert/strict";
import { makeCopy } from "./lesson_copy.ts";
import { FAULT_KINDS } from "../src/core/fault.ts";
import { type Accessible, browserTest, drive, type Tab } from "./browser.ts";
import { withUp } from "./up_page.ts";

/** A number on the page; it may have separators. */
async function numberAt(tab: Tab, selector: string): Promise<number> {
  return Number((await tab.text(selector)).replace(/[^0-9.]/g, ""));
}

/** Chooses the load by the page's preset, and waits until it is told. */
async function preset(tab: Tab, name: string): Promise<void> {
  await tab.click(`[data-preset="${name}"]`);
}

/** Controls that assistive technology must be able to tell apart. */
const NAMED = /^(button|link|slider|spinbutton|combobox|switch|Disclosure)/;

/** What is wrong for those who use the page without a mouse or an eye. */
async function barriers(tab: Tab): Promise<readonly string[]> {
  const all = await tab.accessible();
  const focusable = all.filter(({ role, properties }) =>
    properties["focusable"] === true && role !== "option"
  );
  const words = ({ role, name }: Accessible) => `${role} "${name}"`;
  const named = focusable.filter(({ role }) => NAMED.test(role)).map(words);
  assert.ok(named.length > 50, "the page has lost its controls");
  const tables = `[...document.querySelectorAll("table")]`;
  return [
    ...focusable.filter(({ name }) => name === "")
      .map(({ role }) => `${role} without a name`),
    ...named.filter((one, at) => named.indexOf(one) !== at)
      .map((one) => `${one} is there twice`),
    ...all.filter(({ role, properties: { live } }) =>
      live === (role === "alert" ? "polite" : "assertive")
    ).map((one) => `${words(one)} interrupts, or does not`),
    ...await tab.evaluate<string[]>(
      `${tables}.filter((one) => !one.caption || !one.querySelector(
      "thead th[scope=col]") || (one.tBodies[0]?.rows.length > 0 &&
      !one.querySelector("tbody th[scope=row]")))
      .map((one) => "a table without heads: " + one.textContent)`,
    ),
    ...await tab.evaluate<string[]>(
      `[...document.querySelectorAll("[tabindex]")].filter((one) =>
      one.tabIndex > 0).map((one) => "out of turn: " + one.outerHTML)`,
    ),
  ];
}

/** Begins to note what is read aloud by itself. */
async function listen(tab: Tab): Promise<void> {
  await tab.evaluate(`
    globalThis.heard = [];
    for (const region of document.querySelectorAll(
      "[aria-live], [role=status], [role=alert], output")) {
      new MutationObserver(() => heard.push(region.textContent)).observe(
        region, { childList: true, characterData: true, subtree: true });
    }`);
}

browserTest(
  "the page has every fault, and no barriers",
  async () => {
    await withUp([], async (up) => {
      await drive(up.url, async (tab) => {
        await tab.until(`document.querySelectorAll(".card").length === 3`);
        await tab.evaluate(`document.querySelectorAll("details")
        .forEach((one) => one.open = true)`);
        await tab.until(`document.querySelectorAll("table").length === 7`);
        assert.deepEqual(await barriers(tab), []);
        const card = `.card[data-server="server-1"]`;
        const kinds = await tab.evaluate<string[]>(
          `[...document.querySelector('${card} select').options]
          .map(({ value }) => value)`,
        );
        assert.deepEqual(kinds.toSorted(), FAULT_KINDS.toSorted());
        await tab.evaluate(`
          document.querySelector('${card} select').value = "refuse";
          document.querySelector('${card} [type=number]').value = "2";`);
        await tab.click(`${card} [data-action="fault"]`);
        const faults = `document.querySelector('${card} .faults').textContent`;
        await tab.until(`/^refuses connections, [12] s$/.test(${faults})`);
        await tab.until(`${faults} === ""`);
        assert.match(await tab.text("#stories"), /"refuse" for 2 s/);
        assert.deepEqual(tab.complaints, []);
      });
    });
  },
);

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
        // Before the preset, calls came through the other listener alone.
        await tab.until(
          `[1,2,3].some((n) => /[1-9]/.test(document
          .querySelector("#share-l4-server-" + n)?.textContent))`,
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
        await listen(tab);
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
        const heard = (await tab.evaluate<string[]>("heard"))
          .filter((text) => text.includes("server-2 killed"));
        assert.ok(heard.length <= 2, `chatty: ${heard.join("\n")}`);
        assert.equal(heard.at(-1), story.slice(-(heard.at(-1) ?? "").length));
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
        await tab.click("[data-figure=retries]");
        const lines = `document.querySelector("#excerpt").textContent`;
        assert.match(
          await tab.evaluate<string>(lines),
          /^envoy\.yaml, from line \d+.*retry_policy:/s,
        );
        await turn(false);
        await tab.until(`${lines}.includes("Envoy has nothing of this now")`);
        assert.ok(await kill("server-1") > 0, "no retries, and nothing lost");
        await turn(true);
        await tab.until(`!${lines}.includes("Protections are switched")`);
        assert.equal(await kill("server-2"), 0);
        assert.deepEqual(tab.complaints, []);
      });
    });
  },
);

browserTest(
  "a lesson is started, hinted at, checked and solved on the page, and the next one",
  async () => {
    await using copy = await makeCopy("all");
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
        assert.match(
          await tab.text("#lesson-text"),
          /denow task up --servers 4 --config/,
        );
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
        const named = (await tab.accessible()).filter(({ role, properties }) =>
          role === "button" && properties["focusable"] === true
        ).map(({ name }) => name);
        assert.deepEqual(
          ["Check", "Hint", "Solve", "Reset", "Next lesson"]
            .filter((words) => !named.includes(words)),
          [],
        );
        await press("Next lesson");
        await says("my/06-draining/envoy.yaml");
        assert.match(await tab.text("#lesson-title"), /^6\. /);
        await tab.until(`document.activeElement.id === "lesson-title"`);
        const refused = tab.complaints.filter((one) => !one.includes("502"));
        assert.deepEqual(refused, []);
      });
    }, copy.lab);
  },
);
