/** Which routes gRPC calls take: those of web pages get no advice. */
import { type Cluster, isForPages } from "./cluster.ts";
import { type Message, messagesIn } from "./message.ts";
import type { Route } from "./route.ts";

/** "/package.Service/", "/Service/Method" or "/package.": no web page's. */
const GRPC_PATH = /^\/(?:[\w.]+\.|(?:[\w.]*\.[A-Z]\w*|[A-Z]\w*)(?:\/\w*)?)$/;

/** Whether a cluster is for gRPC by its own settings. */
export function isMarkedGrpc(cluster: Cluster): boolean {
  return cluster.protocol === "http2" ||
    cluster.healthChecks.some((check) => check.has("grpc_health_check"));
}

/** Whether a matcher of headers asks for gRPC's content type. */
function asksForGrpc(header: Message): boolean {
  return header.text("name") === "content-type" &&
    header.flag("invert_match") !== true &&
    messagesIn(header).some((one) =>
      [...one.fields.values()].some(({ value }) =>
        String(value).includes("application/grpc")
      )
    );
}

function isMarkedGrpcRoute(route: Route): boolean {
  const { message, manager, path, clusters } = route;
  return message.has("match.grpc") ||
    path !== undefined && GRPC_PATH.test(path) ||
    message.messages("match.headers").some(asksForGrpc) ||
    clusters.some(isMarkedGrpc) ||
    !isRouteForPages(route) &&
      manager.filters.some(({ type }) =>
        /\.(grpc_stats|grpc_web)\./.test(type)
      );
}

/** A file's ending: no method of gRPC has one. */
const OF_FILES = /\\\.\(?[\w|?:]+\)?\$?$/;

/** Whether a route takes the paths of any service, as far as is known. */
function takesAnyPath({ message, path }: Route): boolean {
  if (path !== undefined) return isEveryPrefix(message);
  return !message.has("match.connect_matcher") &&
    !OF_FILES.test(message.text("match.safe_regex.regex") ?? "");
}

function isEveryPrefix(route: Message): boolean {
  return ["", "/"].includes(route.text("match.prefix") ?? "none");
}

/** Whether a route is for web pages, by what it asks for or by its clusters. */
function isRouteForPages({ message, clusters }: Route): boolean {
  const asksForPages = message.messages("match.headers").some((header) => {
    const method = header.text("string_match.exact") ??
      header.text("exact_match");
    return header.text("name") === ":method" &&
      header.flag("invert_match") !== true &&
      method !== undefined && method !== "POST";
  });
  return asksForPages || clusters.length > 0 && clusters.every(isForPages);
}

/** What a route may ask for that every call of gRPC has. */
const OF_EVERY_CALL = [
  "prefix",
  "safe_regex",
  "case_sensitive",
  "grpc",
  "headers",
];

/** Whether no gRPC call of this host gets to the routes after this one. */
function takesEveryCall(route: Message): boolean {
  const match = route.message("match");
  return match !== undefined &&
    (isEveryPrefix(route) ||
      /^\/?\.\*$/.test(match.text("safe_regex.regex") ?? "")) &&
    [...match.fields.keys()].every((name) => OF_EVERY_CALL.includes(name)) &&
    match.messages("headers").every(asksForGrpc);
}

/** Tells whether gRPC calls get as far as a route in its virtual host. */
function reaching(): (route: Route) => boolean {
  const lasts = new Map<Message, ReadonlySet<Message>>();
  return ({ virtualHost, message }) => {
    let behind = lasts.get(virtualHost);
    if (behind === undefined) {
      const routes = virtualHost.messages("routes");
      const last = routes.findIndex(takesEveryCall);
      behind = new Set(last < 0 ? [] : routes.slice(last + 1));
      lasts.set(virtualHost, behind);
    }
    return !behind.has(message);
  };
}

/**
 * The routes that gRPC calls can take: first those that are marked as such by
 * their path, their filters or their cluster, then those that take every path,
 * unless they are for web pages. If none is marked, they are asked about, too:
 * the doctor is asked about gRPC.
 */
export function grpcRoutes(
  all: readonly Route[],
  adminAddress: string | undefined,
): readonly Route[] {
  const reached = all.filter(({ clusters }) =>
    adminAddress === undefined ||
    !clusters.some(({ addresses }) => addresses.includes(adminAddress))
  ).filter(reaching());
  const marked = new Set(reached.filter(isMarkedGrpcRoute));
  const others = reached.filter((route) =>
    !marked.has(route) && takesAnyPath(route) &&
    (marked.size === 0 || !isRouteForPages(route))
  );
  return [...marked, ...others];
}
