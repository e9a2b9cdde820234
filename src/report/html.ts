/** The report as one HTML page that needs nothing else. */
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import pageCss from "./page.css" with { type: "text" };
import pageHtml from "./page.html" with { type: "text" };
import pageJs from "./page.js" with { type: "text" };
import type { ReportModel } from "./model.ts";

/** Makes the page. */
export function reportHtml(model: ReportModel): string {
  const parts: Readonly<Record<string, string>> = {
    style: uplotCss + pageCss,
    library: uplotJs,
    // No text of a program or a server may end the script element.
    model: JSON.stringify(model).replaceAll("<", "\\u003c"),
    script: pageJs,
  };
  // A function, as "$&" in a replacement would mean something.
  return pageHtml.replace(
    /\/\* (\w+) \*\//g,
    (whole, name: string) => parts[name] ?? whole,
  );
}
