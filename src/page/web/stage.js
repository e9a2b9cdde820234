/** Draws one listener's lines and the calls that travel on them. */
import { colour, colourOf } from "./colours.js";
import { ENVOY_FROM, ENVOY_TO, legsOf, placeOf } from "./flight.js";

/** @typedef {import("../../control/state.ts").CallsFrame} CallsFrame */
/** @typedef {import("../../control/state.ts").SeenCall} SeenCall */
/** @typedef {import("./flight.js").Leg} Leg */

/**
 * @typedef {object} Flight
 * @property {readonly Leg[]} legs
 * @property {number} lane
 * @property {number} startMs
 * @property {number} leg The last that was seen.
 * @property {string} failure What to say when it fails; "" for an answer.
 */

/**
 * @typedef {object} Routes What is drawn under the dots.
 * @property {number} connections
 * @property {boolean} isPinned Whether a connection belongs to one server.
 * @property {readonly string[]} pins The server of each connection, if pinned.
 * @property {ReadonlySet<string>} out Servers that get no new work.
 */

/** Calls on their way that are drawn at once; older ones give way. */
const FLIGHTS_MAX = 2000;

const FRAME_MS = 100;
const MARK_MS = 700;
const WORDS_MS = 2500;
const THREADS_MAX = 6;

/**
 * @param {HTMLElement} box Holds the nodes: `.callers`, `.envoy` and a `.row`
 * with `data-server` for each server.
 * @returns A stage without load.
 */
export function makeStage(box) {
  const below = canvas(box, "lines");
  const above = canvas(box, "dots");
  /** @type {Routes} */
  let routes = { connections: 1, isPinned: false, pins: [], out: new Set() };
  /** @type {Flight[]} */
  let flights = [];
  /** @type {{ x: number, y: number, atMs: number }[]} */
  let marks = [];
  /** @type {Map<string, { count: number, atMs: number }>} */
  const failures = new Map();
  /** @type {Readonly<Record<string, number>>} */
  let streams = {};
  let next = 0;
  let isMoving = true;
  let isSeen = true;
  let isDrawing = false;
  /** @type {ReturnType<typeof measure>} */
  let places = measure(box);

  /** @param {number} lane */
  const laneY = (lane) => {
    const { callers } = places;
    const gap = Math.min(14, callers.height / (routes.connections + 1));
    return callers.y + (lane - (routes.connections - 1) / 2) * gap;
  };

  /**
   * A point of the way between callers and a server.
   *
   * @param {number} at From 0 to 1.
   * @param {number} lane
   * @param {string | undefined} server
   */
  const pointOf = (at, lane, server) => {
    const { callers, envoy } = places;
    const from = laneY(lane);
    if (at <= ENVOY_FROM) {
      const part = at / ENVOY_FROM;
      return { x: callers.x + (envoy.left - callers.x) * part, y: from };
    }
    const to = routes.isPinned ? from : callers.y;
    if (at <= ENVOY_TO) {
      const part = (at - ENVOY_FROM) / (ENVOY_TO - ENVOY_FROM);
      return {
        x: envoy.left + (envoy.right - envoy.left) * part,
        y: from + (to - from) * part,
      };
    }
    const end = places.servers.get(server ?? "") ??
      { x: places.rows, y: callers.y };
    const t = (at - ENVOY_TO) / (1 - ENVOY_TO);
    // A cubic curve that leaves and arrives level.
    const ease = t * t * (3 - 2 * t);
    const bend = 3 * (1 - t) * t * 0.5 + t * t * t;
    return {
      x: envoy.right + (end.x - envoy.right) * bend,
      y: to + (end.y - to) * ease,
    };
  };

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} lane
   * @param {string} server
   * @param {number} shiftY
   */
  const trace = (pen, lane, server, shiftY = 0) => {
    const { envoy, servers, callers } = places;
    const end = servers.get(server);
    if (end === undefined) return;
    const y = (routes.isPinned ? laneY(lane) : callers.y) + shiftY;
    const middle = (envoy.right + end.x) / 2;
    pen.moveTo(envoy.right, y);
    pen.bezierCurveTo(
      middle,
      y,
      middle,
      end.y + shiftY,
      end.x,
      end.y + shiftY,
    );
  };

  const drawLines = () => {
    const pen = below.begin();
    const { callers, envoy, servers } = places;
    const lanes = Array.from({ length: routes.connections }, (_, at) => at);
    for (const server of servers.keys()) {
      pen.beginPath();
      trace(pen, (routes.connections - 1) / 2, server);
      const isUsed = !routes.isPinned && !routes.out.has(server);
      pen.setLineDash(isUsed ? [] : [2, 7]);
      pen.lineWidth = isUsed ? 2 : 1.5;
      pen.strokeStyle = colour("line");
      pen.stroke();
    }
    pen.setLineDash([]);
    for (const lane of lanes) {
      const server = routes.isPinned ? routes.pins[lane] : undefined;
      pen.beginPath();
      pen.moveTo(callers.x, laneY(lane));
      pen.lineTo(
        server === undefined ? envoy.left : envoy.right,
        laneY(lane),
      );
      if (server !== undefined) trace(pen, lane, server);
      pen.lineWidth = server === undefined ? 2 : 3.5;
      pen.strokeStyle = server === undefined
        ? colour("line")
        : colour(`server-${colourOf(server)}`);
      pen.stroke();
    }
  };

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} nowMs
   */
  const drawStreams = (pen, nowMs) => {
    pen.lineWidth = 2;
    pen.setLineDash([10, 6]);
    pen.lineDashOffset = isMoving ? nowMs / 40 % 16 : 0;
    const threads = Object.entries(streams).flatMap(([server, count]) => {
      const drawn = Math.min(count, THREADS_MAX);
      return Array.from({ length: drawn }, (_, thread) => ({
        server,
        shift: (thread - (drawn - 1) / 2) * 4,
      }));
    });
    threads.forEach(({ server, shift }, index) => {
      const { callers, envoy } = places;
      const lane = Math.max(routes.pins.indexOf(server), 0);
      // Those of all servers side by side, as far as there is room.
      const gap = Math.min(5, callers.height / threads.length);
      const y = routes.isPinned
        ? laneY(lane) + shift
        : callers.y + (index - (threads.length - 1) / 2) * gap;
      pen.strokeStyle = colour(`server-${colourOf(server)}`);
      pen.beginPath();
      pen.moveTo(callers.x, y);
      pen.lineTo(routes.isPinned ? envoy.right : envoy.left, y);
      trace(pen, lane, server, shift);
      pen.stroke();
    });
    pen.setLineDash([]);
  };

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} nowMs
   */
  const drawFlights = (pen, nowMs) => {
    /** Dots of one look are one path. @type {Map<string, number[]>} */
    const dots = new Map();
    flights = flights.filter((flight) => {
      const place = placeOf(flight.legs, nowMs - flight.startMs);
      const at = place?.index ?? flight.legs.length;
      while (flight.leg < at) {
        const ended = flight.legs[flight.leg];
        flight.leg += 1;
        if (flight.legs[flight.leg]?.what === "failure" && ended) {
          const point = pointOf(ended.to, flight.lane, ended.server);
          marks.push({ ...point, atMs: nowMs });
          if (flight.leg === flight.legs.length - 1) {
            tell(flight.failure, nowMs);
          }
        }
      }
      if (place === undefined) return false;
      if (nowMs < flight.startMs) return true;
      const leg = flight.legs[place.index];
      if (leg === undefined) return false;
      const { x, y } = pointOf(place.at, flight.lane, leg.server);
      const look = leg.what === "failure"
        ? "wrong 1"
        : `${!leg.server ? "ink" : `server-${colourOf(leg.server)}`} ${
          leg.what === "request" ? 0 : 1
        }`;
      const list = dots.get(look) ?? [];
      list.push(x, y);
      dots.set(look, list);
      return true;
    });
    const scale = flights.length > 250 ? 0.75 : 1;
    const size = Math.min(Math.max(places.width / 100, 4), 9) * scale;
    for (const [look, list] of dots) {
      const [name = "", isFull] = look.split(" ");
      const radius = isFull === "1" ? size : size * 0.7;
      pen.fillStyle = colour(name);
      pen.strokeStyle = colour("paper");
      pen.lineWidth = 1;
      pen.beginPath();
      for (let at = 0; at < list.length; at += 2) {
        const [x = 0, y = 0] = list.slice(at, at + 2);
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 2 * Math.PI);
      }
      pen.fill();
      pen.stroke();
    }
    drawMarks(pen, nowMs, size);
  };

  /**
   * @param {CanvasRenderingContext2D} pen
   * @param {number} nowMs
   * @param {number} size
   */
  const drawMarks = (pen, nowMs, size) => {
    marks = marks.filter(({ atMs }) => nowMs - atMs < MARK_MS).slice(-200);
    pen.strokeStyle = colour("wrong");
    pen.lineWidth = 3;
    pen.beginPath();
    for (const { x, y, atMs } of marks) {
      const arm = size * (1 + (nowMs - atMs) / MARK_MS);
      pen.moveTo(x - arm, y - arm);
      pen.lineTo(x + arm, y + arm);
      pen.moveTo(x + arm, y - arm);
      pen.lineTo(x - arm, y + arm);
    }
    pen.stroke();
    const px = Math.max(Math.min(places.width / 48, 20), 13);
    pen.font = `600 ${px}px system-ui, sans-serif`;
    let y = places.callers.y + places.callers.height / 2 + px / 2;
    for (const [words, { count, atMs }] of failures) {
      if (nowMs - atMs > WORDS_MS) failures.delete(words);
      const text = count > 1 ? `${words} ×${count}` : words;
      const width = pen.measureText(text).width + px;
      pen.fillStyle = colour("wrong");
      pen.fillRect(places.callers.left, y, width, px * 1.7);
      pen.fillStyle = colour("paper");
      pen.fillText(text, places.callers.left + px / 2, y + px * 1.2);
      y += px * 1.9;
    }
  };

  /**
   * @param {string} failure
   * @param {number} nowMs
   */
  const tell = (failure, nowMs) => {
    const told = failures.get(failure);
    if (told === undefined && failures.size >= 3) return;
    failures.set(failure, { count: (told?.count ?? 0) + 1, atMs: nowMs });
  };

  const isIdle = () =>
    flights.length + marks.length + failures.size === 0 &&
    (Object.keys(streams).length === 0 || !isMoving);

  const draw = () => {
    const nowMs = performance.now();
    const pen = above.begin();
    drawStreams(pen, nowMs);
    drawFlights(pen, nowMs);
    isDrawing = !isIdle() && !document.hidden && isSeen;
    if (isDrawing) requestAnimationFrame(draw);
  };

  const wake = () => {
    if (isDrawing || document.hidden || !isSeen) return;
    isDrawing = true;
    requestAnimationFrame(draw);
  };

  const layOut = () => {
    places = measure(box);
    // They were made for other places.
    marks = [];
    below.resize(places);
    above.resize(places);
    drawLines();
    wake();
  };
  new ResizeObserver(layOut).observe(box);
  document.addEventListener("visibilitychange", () => flights = []);
  new IntersectionObserver(([entry]) => {
    isSeen = entry?.isIntersecting ?? true;
    if (!isSeen) flights = [];
    wake();
  }).observe(box);

  return {
    layOut,
    /** @param {Routes} changed */
    route(changed) {
      routes = changed;
      drawLines();
    },
    /** @param {boolean} moves */
    setMotion(moves) {
      isMoving = moves;
      flights = [];
      wake();
    },
    /**
     * Sends calls on their way, spread over the frame's time.
     *
     * @param {readonly SeenCall[]} calls
     * @param {Readonly<Record<string, number>>} open Streams by server.
     */
    show(calls, open) {
      if (document.hidden || !isSeen) return;
      streams = open;
      const nowMs = performance.now();
      calls.forEach((call, index) => {
        const { status, flags } = call;
        const failure = status === "OK" ? "" : `${status} ${flags}`.trim();
        const startMs = nowMs + index / calls.length * FRAME_MS;
        if (!isMoving) {
          if (failure !== "") tell(failure, nowMs);
          return;
        }
        flights.push({
          legs: legsOf(call),
          lane: laneOf(call),
          startMs,
          leg: 0,
          failure,
        });
      });
      flights = flights.slice(-FLIGHTS_MAX);
      wake();
    },
  };

  /** @param {SeenCall} call */
  function laneOf({ servers }) {
    next += 1;
    if (!routes.isPinned) return next % routes.connections;
    const lanes = routes.pins.flatMap((server, lane) =>
      server === servers[0] ? [lane] : []
    );
    return lanes[next % lanes.length] ?? next % routes.connections;
  }
}

/** @param {HTMLElement} box */
function measure(box) {
  const frame = box.getBoundingClientRect();
  /** @param {Element | null} node */
  const place = (node) => {
    const rect = node?.getBoundingClientRect() ?? frame;
    return {
      left: rect.left - frame.left,
      right: rect.right - frame.left,
      y: rect.top - frame.top + rect.height / 2,
      height: rect.height,
    };
  };
  const callers = place(box.querySelector(".callers"));
  return {
    width: frame.width,
    height: frame.height,
    callers: { ...callers, x: callers.right },
    rows: place(box.querySelector(".rows")).left,
    envoy: place(box.querySelector(".envoy")),
    servers: new Map(
      [...box.querySelectorAll("[data-server]")].map((row) => {
        const { left, y } = place(row);
        return [row.getAttribute("data-server") ?? "", { x: left, y }];
      }),
    ),
  };
}

/**
 * @param {HTMLElement} box
 * @param {string} name
 */
function canvas(box, name) {
  const made = document.createElement("canvas");
  made.className = name;
  made.setAttribute("aria-hidden", "true");
  box.append(made);
  const pen = made.getContext("2d");
  if (pen === null) throw new Error("This browser cannot draw on a canvas");
  return {
    /** @param {{ width: number, height: number }} size */
    resize({ width, height }) {
      made.width = Math.round(width * devicePixelRatio);
      made.height = Math.round(height * devicePixelRatio);
    },
    /** A clean sheet, in CSS pixels. */
    begin() {
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, made.width, made.height);
      pen.scale(devicePixelRatio, devicePixelRatio);
      return pen;
    },
  };
}
