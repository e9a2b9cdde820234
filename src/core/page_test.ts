import assert from "node:assert/strict";
import { element, json, page, table, verdict } from "./page.ts";

Deno.test("element() escapes text and attributes, and no HTML", () => {
  const bold = element("b", { title: '"<&>' }, "1 < 2 & 3");
  assert.equal(
    element("p", {}, bold, " or ", 7).html,
    '<p><b title="&quot;&lt;&amp;&gt;">1 &lt; 2 &amp; 3</b> or 7</p>',
  );
});

Deno.test("json() is one element, whatever is in it", () => {
  const { html } = json({ text: "</script><!--" });
  const [, numbers] = /^<script [^>]+>([^<]*)<\/script>$/.exec(html) ?? [];
  assert.deepEqual(JSON.parse(numbers ?? ""), { text: "</script><!--" });
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
    const found = html.match(/<t[dh] class="number">/g)?.length ?? 0;
    assert.equal(found, isNumeric ? cells.length + 1 : 0, cells.join());
  }
});

Deno.test("page() has its title as text, and its scripts behind its body", () => {
  const html = page("<1>", [verdict("held")], { scripts: ["show()"] });
  assert.match(html, /<title>&lt;1&gt;<\/title>/);
  assert.match(
    html,
    /<h1>&lt;1&gt;<\/h1>\n<span class="verdict held">held<\/span>\n<\/main>\n<script>show\(\)<\/script>\n<\/html>\n$/,
  );
});
