/** Finds the routes that a call of our service takes in any configuration. */
import { at, type Fields, fieldsOf, listOf } from "../core/yaml.ts";
import type { Cluster } from "../doctor/cluster.ts";
import type { Message } from "../doctor/message.ts";
import type { Model } from "../doctor/model.ts";
import type { Route } from "../doctor/route.ts";
import { jsonOf } from "./json.ts";

/** The service of our servers and callers. */
export const OUR_SERVICE = "demo.v1.Greeter";

const UNARY_PATH = `/${OUR_SERVICE}/SayHello`;

/** The name that envoy.yaml gives the route of a method. */
const NAMES: Readonly<Record<string, string>> = {
  SayHello: "unary",
  StreamHellos: "stream-hellos",
};

/** What a call takes. */
export interface Call {
  /** The route of the configuration that our unary calls take. */
  readonly route: Route;
  /** The service that ours stands for; undefined if no route names one. */
  readonly service: string | undefined;
  /**
   * The routes that calls of the service can take, in order, for the paths of
   * ours: the one of unary calls is named "unary".
   */
  readonly routes: readonly Fields[];
  /** Whether the route asked for something that our calls do not have. */
  readonly isMatchReplaced: boolean;
  /** Names of the routes that no call of ours takes. */
  readonly others: readonly string[];
}

/**
 * Finds what a call takes: our own service's route, else the first that names a
 * service, else the first that takes every path.
 *
 * @param service The service that ours is to stand for (default as above).
 * @returns Undefined if there is no such route to a cluster.
 */
export function callIn(
  { routes: all }: Model,
  service?: string,
): Call | undefined {
  const usable = all.filter(({ clusters }) => clusters.length > 0);
  const services = usable.map(serviceOf).filter((one) => one !== undefined);
  const chosen = service ??
    (services.includes(OUR_SERVICE) ? OUR_SERVICE : services[0]);
  const route = usable.find((one) => serviceOf(one) === chosen) ??
    usable.find(({ message }) => canTake(message, chosen));
  if (route === undefined) return undefined;
  const { virtualHost } = route;
  const inList = virtualHost.messages("routes");
  const candidates = inList.length > 0
    ? inList
    : usable.filter((one) => one.virtualHost === virtualHost)
      .map(({ message }) => message);
  const taken = candidates.filter((one) => canTake(one, chosen));
  const routes = taken.map((one) => forOurPaths(one, chosen));
  const index = routes.findIndex((one) => matchesPath(one, UNARY_PATH));
  const main = usable.find(({ message }) => message === taken[index]);
  const others = candidates.filter((one) => !taken.includes(one)).map(nameOf);
  if (main !== undefined) {
    nameRoutes(routes);
    return {
      route: main,
      service: chosen,
      routes,
      isMatchReplaced: false,
      others,
    };
  }
  // It asks for one method, or for headers that our calls do not have.
  const own = taken.indexOf(route.message);
  if (own >= 0) routes.splice(own, 1);
  routes.unshift({
    ...jsonOf(route.message),
    match: { prefix: `/${OUR_SERVICE}/`, grpc: {} },
  });
  nameRoutes(routes);
  return {
    route,
    service: chosen,
    routes,
    isMatchReplaced: true,
    others: others.filter((name) => name !== nameOf(route.message)),
  };
}

/** The clusters that a route names, the heaviest first. */
export function targetsOf(action: unknown): readonly string[] {
  const { cluster } = fieldsOf(action);
  if (typeof cluster === "string") return [cluster];
  return listOf(at(action, "weighted_clusters", "clusters"))
    .toSorted((a, b) => Number(b["weight"] ?? 0) - Number(a["weight"] ?? 0))
    .map(({ name }) => String(name));
}

/** The cluster that unary calls go to: the heaviest of their route. */
export function unaryCluster(
  { route: { clusters, action } }: Call,
): Cluster | undefined {
  const [heaviest] = targetsOf(jsonOf(action));
  return clusters.find(({ name }) => name === heaviest) ?? clusters[0];
}

/** The service that a route's path names, as in "/acme.Orders/". */
export function serviceOf({ path }: Route): string | undefined {
  return /^\/((?:[\w.]*\.)?[A-Z]\w*)(?:\/|$)/.exec(path ?? "")?.[1];
}

function nameOf(route: Message): string {
  const match = fieldsOf(jsonOf(route)["match"]);
  return route.text("name") ?? String(
    match["path"] ?? match["prefix"] ?? match["path_separated_prefix"] ??
      at(match, "safe_regex", "regex") ?? "",
  );
}

/** Whether calls of a service can take a route, by path and by headers. */
function canTake(route: Message, service: string | undefined): boolean {
  const match = route.message("match");
  if (match === undefined || !isMetByOurCalls(jsonOf(match))) {
    return false;
  }
  if (service === undefined) return true;
  const ofService = `/${service}`;
  const regex = match.text("safe_regex.regex");
  if (regex !== undefined) {
    return regex.replaceAll("\\", "").includes(ofService) ||
      isWhole(regex, `${ofService}/SayHello`);
  }
  const start = match.text("path") ?? match.text("prefix") ??
    match.text("path_separated_prefix") ?? "";
  return ofService === start || start.startsWith(`${ofService}/`) ||
    (!match.has("path") && `${ofService}/`.startsWith(start));
}

/** What else a route can ask for, and none of our calls has. */
const CONDITIONS = [
  "query_parameters",
  "cookies",
  "runtime_fraction",
  "dynamic_metadata",
  "filter_state",
  "connect_matcher",
  "path_match_policy",
];

function isMetByOurCalls(match: Fields): boolean {
  return CONDITIONS.every((name) => !Object.hasOwn(match, name)) &&
    listOf(match["headers"]).every(isMetHeader);
}

/** The headers of our calls that a route can ask for. */
const HEADERS: Readonly<Record<string, string>> = {
  ":method": "POST",
  "content-type": "application/grpc",
  te: "trailers",
};

function isMetHeader(matcher: Fields): boolean {
  const value = HEADERS[String(matcher["name"]).toLowerCase()];
  const isInverted = matcher["invert_match"] === true;
  if (matcher["present_match"] === false) return value === undefined;
  if (value === undefined) return isInverted;
  const text = fieldsOf(matcher["string_match"]);
  const regex = at(text, "safe_regex", "regex") ??
    at(matcher, "safe_regex_match", "regex");
  const isMet = [
    ...compared(
      text["exact"] ?? matcher["exact_match"],
      (one) => value === one,
    ),
    ...compared(
      text["prefix"] ?? matcher["prefix_match"],
      (one) => value.startsWith(one),
    ),
    ...compared(
      text["suffix"] ?? matcher["suffix_match"],
      (one) => value.endsWith(one),
    ),
    ...compared(
      text["contains"] ?? matcher["contains_match"],
      (one) => value.includes(one),
    ),
    ...compared(regex, (one) => isWhole(one, value)),
  ].every((met) => met);
  return isMet !== isInverted;
}

function compared(
  wanted: unknown,
  isMet: (wanted: string) => boolean,
): readonly boolean[] {
  return typeof wanted === "string" ? [isMet(wanted)] : [];
}

/** Whether an expression matches all of a text; false if it is none here. */
function isWhole(regex: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${regex})$`).test(text);
  } catch {
    return false; // RE2 knows flags that JavaScript does not.
  }
}

/** A route with our service's paths in place of another's. */
function forOurPaths(route: Message, service: string | undefined): Fields {
  const fields = jsonOf(route);
  const match = fieldsOf(fields["match"]);
  // Clients' certificates are left out with TLS.
  delete match["tls_context"];
  if (service === undefined) return fields;
  for (const name of ["path", "prefix", "path_separated_prefix"]) {
    const path = match[name];
    if (typeof path !== "string") continue;
    match[name] = path.startsWith(`/${service}`)
      ? `/${OUR_SERVICE}${path.slice(service.length + 1)}`
      : service === OUR_SERVICE
      ? path
      : "/";
  }
  const regex = fieldsOf(match["safe_regex"]);
  if (typeof regex["regex"] === "string") {
    const escaped = (name: string) => name.replaceAll(".", "\\.");
    regex["regex"] = regex["regex"]
      .replaceAll(escaped(service), escaped(OUR_SERVICE))
      .replaceAll(service, OUR_SERVICE);
  }
  return fields;
}

/** Whether a route, in plain form, takes a path. */
function matchesPath(route: Fields, path: string): boolean {
  const match = fieldsOf(route["match"]);
  const isLoose = match["case_sensitive"] === false;
  const of = (text: unknown) =>
    typeof text !== "string" ? undefined : isLoose ? text.toLowerCase() : text;
  const own = isLoose ? path.toLowerCase() : path;
  const separated = of(match["path_separated_prefix"]);
  const regex = at(match, "safe_regex", "regex");
  return own === of(match["path"]) ||
    own.startsWith(of(match["prefix"]) ?? "\0") ||
    separated !== undefined &&
      (own === separated || own.startsWith(`${separated}/`)) ||
    typeof regex === "string" && isWhole(regex, path);
}

/** Gives routes the names that changes of envoy.yaml look for. */
function nameRoutes(routes: readonly Fields[]): void {
  const names = Object.values(NAMES);
  for (const route of routes) {
    if (names.includes(String(route["name"]))) delete route["name"];
  }
  for (const [method, name] of Object.entries(NAMES)) {
    const found = routes.find((one) =>
      matchesPath(one, `/${OUR_SERVICE}/${method}`)
    );
    if (found === undefined || names.includes(String(found["name"]))) continue;
    found["name"] = name;
  }
}
