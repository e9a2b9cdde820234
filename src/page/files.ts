/** The files of the page. */
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import pageHtml from "./page.html" with { type: "text" };

/** One file as it is served. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** The page itself. */
export const PAGE: string = pageHtml;

const JS = "text/javascript";
const CSS = "text/css";

/** What it loads, by its path. */
export const FILES: Readonly<Record<string, PageFile>> = {
  "/uplot.js": { type: JS, text: uplotJs },
  "/uplot.css": { type: CSS, text: uplotCss },
};
