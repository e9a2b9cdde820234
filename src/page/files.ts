/** The files of the page. */
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import apiJs from "./web/api.js" with { type: "text" };
import chartsJs from "./web/charts.js" with { type: "text" };
import coloursJs from "./web/colours.js" with { type: "text" };
import elementJs from "./web/element.js" with { type: "text" };
import envoyJs from "./web/envoy.js" with { type: "text" };
import flightJs from "./web/flight.js" with { type: "text" };
import healthJs from "./web/health.js" with { type: "text" };
import lessonJs from "./web/lesson.js" with { type: "text" };
import loadJs from "./web/load.js" with { type: "text" };
import pageJs from "./web/page.js" with { type: "text" };
import pictureJs from "./web/picture.js" with { type: "text" };
import recentJs from "./web/recent.js" with { type: "text" };
import serversJs from "./web/servers.js" with { type: "text" };
import stageJs from "./web/stage.js" with { type: "text" };
import storyJs from "./web/story.js" with { type: "text" };
import { LOOK } from "../core/look.ts";
import icon from "./web/icon.svg" with { type: "text" };
import pageCss from "./web/page.css" with { type: "text" };
import pageHtml from "./web/page.html" with { type: "text" };

/** One file as it is served. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** The page itself. */
export const PAGE: string = pageHtml;

const js = (text: string): PageFile => ({ type: "text/javascript", text });
const css = (text: string): PageFile => ({ type: "text/css", text });

/** What it loads, by its path. */
export const FILES: Readonly<Record<string, PageFile>> = {
  "/icon.svg": { type: "image/svg+xml", text: icon },
  "/page.css": css(LOOK + pageCss),
  "/uplot.css": css(uplotCss),
  "/uplot.js": js(uplotJs),
  "/api.js": js(apiJs),
  "/charts.js": js(chartsJs),
  "/colours.js": js(coloursJs),
  "/element.js": js(elementJs),
  "/envoy.js": js(envoyJs),
  "/flight.js": js(flightJs),
  "/health.js": js(healthJs),
  "/lesson.js": js(lessonJs),
  "/load.js": js(loadJs),
  "/page.js": js(pageJs),
  "/picture.js": js(pictureJs),
  "/recent.js": js(recentJs),
  "/servers.js": js(serversJs),
  "/stage.js": js(stageJs),
  "/story.js": js(storyJs),
};
