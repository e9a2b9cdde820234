import assert from "node:assert/strict";
import { element, folded, page, table, verdict } from "./page.ts";

Deno.test("element() escapes text and attributes, and no HTML", () => {
  const bold = element("b", { title: '"<&>' }, "1 < 2 & 3");
  assert.equal(
    element("p", {}, bold, " or ", 7).html,
    '<p><b title="&quot;&lt;&amp;&gt;">1 &lt; 2 &amp; 3</b> or 7</p>',
  );
});

Deno.test("table() aligns columns of numbers alone to the right", () => {
  const rows: readonly (readonly [readonly (string | number)[], boolean])[] = [
    [[1, "-", "+0.50 %"], true],
    [["<= 1.00 %", "33.33 %", ""], true],
    [["3 of 5 calls", 1], false],
    [["held"], false],
  ];
  for (const [cells, isNumeric] of rows) {
    const { html } = table(["x"], cells.map((cell) => [cell]));
    const found = html.match(/<t[dh] class="words">/g)?.length ?? 0;
    assert.equal(found, isNumeric ? 0 : cells.length + 1, cells.join());
  }
});

Deno.test("page() has its title as text, and lets no script run", () => {
  const html = page("<1>", [verdict("held")], ".mine {}");
  assert.match(html, /<title>&lt;1&gt;<\/title>/);
  assert.match(html, /Content-Security-Policy" content="default-src 'none'; /);
  assert.doesNotMatch(html, /<script|(src|href)=|url\(|@import/);
  assert.match(
    html,
    /\.mine {}<\/style>\n<main>\n<span class="verdict held">held<\/span>\n<\/main>\n<\/html>\n$/,
  );
});

Deno.test("folded() is closed until somebody opens it", () => {
  assert.equal(
    folded("<more>", "1 < 2").html,
    "<details><summary>&lt;more&gt;</summary>1 &lt; 2</details>",
  );
});
