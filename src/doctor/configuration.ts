/**
 * Finds the Envoy configuration in what a user names: a bootstrap, resources of
 * a control plane, a dump of /config_dump, or one of these inside Kubernetes
 * manifests.
 */
import { Failure } from "../core/errors.ts";
import { printable } from "../core/printable.ts";
import {
  type BareRoute,
  bareRoutes,
  isGrpcRoute,
  isSameNamespace,
  namespaceOf,
} from "./gateway.ts";
import { Message, type Source } from "./message.ts";
import { type Problem, readMessage } from "./proto_json.ts";
import {
  cannotParse,
  child,
  listIn,
  type MapNode,
  type Node,
  parseTree,
  positionsIn,
  type ScalarNode,
  textAt,
} from "./yaml_tree.ts";

/** Larger files are refused; a configuration of 1,000 clusters has 1 MB. */
export const CONFIG_BYTES_MAX = 8 * 1024 * 1024;

/** A name in a message leaves room for the message. */
const NAME_UNITS_MAX = 100;

/** A Service of Kubernetes. */
export interface Service {
  readonly name: string;
  /** Empty if it is not said. */
  readonly namespace: string;
  /** Whether Envoy may be in the same namespace, and need not name it. */
  readonly isNear: boolean;
}

/** A configuration, with what came from elsewhere. */
export interface Configuration {
  readonly name: string;
  /** What it is read from, for Envoy to validate; a dump has none. */
  readonly text: string | undefined;
  /** Whether that is the whole file. */
  readonly isWholeFile: boolean;
  /** Whether Envoy has printed it, without what has its default. */
  readonly isDump: boolean;
  readonly tree: Node;
  readonly bootstrap: Message;
  /** The listeners, clusters and so on that discovery has given. */
  readonly resources: readonly Message[];
  readonly problems: readonly Problem[];
  /** Services beside it that stand for one address. */
  readonly virtualServices: readonly Service[];
  /** GRPCRoutes beside it that no policy targets. */
  readonly bareRoutes: readonly BareRoute[];
  /** Whether there are only such manifests, without Envoy's own. */
  readonly isGatewayOnly: boolean;
  /** What a reader should know of how it was read. */
  readonly notes: readonly string[];
}

/**
 * Decodes a file: UTF-8, or UTF-16 with its mark.
 *
 * @throws {Failure} `environment` when it is too large or not a text.
 */
export function decodeText(bytes: Uint8Array, name: string): string {
  if (bytes.length > CONFIG_BYTES_MAX) {
    throw cannotParse(
      name,
      `it has more than ${CONFIG_BYTES_MAX / 1024 / 1024} MiB, which is no ` +
        "configuration; name one",
    );
  }
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe
    ? "utf-16le"
    : first === 0xfe && second === 0xff
    ? "utf-16be"
    : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // The sentence below says it.
  }
  throw cannotParse(
    name,
    "it is not a text in UTF-8, or in UTF-16 with a byte order mark; name a " +
      "configuration in YAML or JSON",
  );
}

/**
 * Finds the configuration in a text.
 *
 * @throws {Failure} `environment` when there is none, or more than one.
 */
export function readConfiguration(text: string, name: string): Configuration {
  const documents = parseTree(text, name);
  const source: Source = { name, text, positionOf: positionsIn(text) };
  const [first] = documents;
  if (first === undefined || isEmpty(first)) {
    throw cannotParse(name, "it is empty; name an Envoy configuration");
  }
  if (documents.some(isManifest)) return inManifests(documents, source);
  const configuration = ofDocument(first, text, source);
  return documents.length === 1 ? configuration : {
    ...configuration,
    notes: [
      `it has ${documents.length} documents, of which Envoy reads the first`,
      ...configuration.notes,
    ],
  };
}

/** Fields of a bootstrap that only a bootstrap has. */
const OF_BOOTSTRAP =
  /^(static_?resources|dynamic_?resources|layered_?runtime|overload_?manager|admin)$/i;

function ofDocument(node: Node, text: string, source: Source): Configuration {
  const { name } = source;
  const keys = node.kind === "map" ? node.entries.map(({ key }) => key) : [];
  const dumps = listIn(node, "configs");
  if (dumps.length > 0) return ofResources(dumps.flatMap(inDump), node, source);
  if (child(node, "resources")?.kind === "list") {
    return ofResources(listIn(node, "resources"), node, source);
  }
  if (!keys.some((key) => OF_BOOTSTRAP.test(key))) {
    const what = kindOf(keys);
    throw new Failure(
      "environment",
      `Cannot examine ${name}: it has no static_resources${what}; name an ` +
        "Envoy configuration",
    );
  }
  const { message, problems } = readMessage(node, BOOTSTRAP, source);
  return {
    name,
    text,
    isWholeFile: true,
    isDump: false,
    tree: node,
    bootstrap: message,
    resources: [],
    problems,
    ...NOTHING_BESIDE,
    notes: [],
  };
}

/** What is not in manifests has none of these beside it. */
const NOTHING_BESIDE = {
  virtualServices: [],
  bareRoutes: [],
  isGatewayOnly: false,
} as const;

const BOOTSTRAP = "envoy.config.bootstrap.v3.Bootstrap";

/** What a mapping with these keys is, as far as it is known. */
function kindOf(keys: readonly string[]): string {
  if (keys.includes("services")) return " and looks like a Compose file";
  if (keys.length === 0) return " and is no mapping of fields";
  return ` but ${
    printable(
      keys.slice(0, 3).map((key) => `"${key}"`).join(", "),
      NAME_UNITS_MAX,
    )
  }`;
}

/** Listeners, clusters and so on, each with its "@type". */
function ofResources(
  nodes: readonly Node[],
  tree: Node,
  source: Source,
): Configuration {
  const readings = nodes.map((node) =>
    readMessage(
      wrapped(node),
      "envoy.config.core.v3.TypedExtensionConfig",
      source,
    )
  );
  const messages = readings.map(({ message }) =>
    message.message("typed_config")
  )
    .filter((message) => message !== undefined);
  const place = { path: "", source, offset: 0 };
  return {
    name: source.name,
    text: undefined,
    isWholeFile: true,
    isDump: child(tree, "configs") !== undefined,
    tree,
    bootstrap: messages.find((message) => message.type === BOOTSTRAP) ??
      new Message(BOOTSTRAP, place, new Map()),
    resources: messages.filter((message) => message.type !== BOOTSTRAP),
    problems: readings.flatMap(({ problems }) => problems),
    ...NOTHING_BESIDE,
    notes: [],
  };
}

/** A resource is an Any, which only a field can hold. */
function wrapped(node: Node): MapNode {
  return {
    kind: "map",
    offset: node.offset,
    entries: [{ key: "typed_config", offset: node.offset, value: node }],
  };
}

/**
 * Where a dump has resources. The bootstrap has the static ones, too, and
 * "warming" and "draining" ones are not in use.
 */
const DUMPED = new Map([
  ["bootstrap", ["bootstrap"]],
  ["dynamic_listeners", ["active_state", "listener"]],
  ["dynamic_active_clusters", ["cluster"]],
  ["dynamic_route_configs", ["route_config"]],
  ["static_endpoint_configs", ["endpoint_config"]],
  ["dynamic_endpoint_configs", ["endpoint_config"]],
  ["dynamic_active_secrets", ["secret"]],
]);

/** The resources of one part of a dump. */
function inDump(part: Node): readonly Node[] {
  if (part.kind !== "map") return [];
  return part.entries.flatMap(({ key, value }) => {
    const path = DUMPED.get(key);
    if (path === undefined) return [];
    if (key === "bootstrap") return [typed(value)];
    return (value.kind === "list" ? value.items : [value])
      .map((item) => path.reduce<Node | undefined>(child, item))
      .filter((found) => found !== undefined);
  });
}

/** A dump's bootstrap has no "@type" of its own. */
function typed(node: Node): Node {
  if (node.kind !== "map") return node;
  const type: ScalarNode = {
    kind: "scalar",
    offset: node.offset,
    text: `type.googleapis.com/${BOOTSTRAP}`,
    isQuoted: true,
    indent: undefined,
  };
  return {
    ...node,
    entries: [
      { key: "@type", offset: node.offset, value: type },
      ...node.entries,
    ],
  };
}

function isEmpty(node: Node): boolean {
  return node.kind === "scalar" && node.text === "";
}

function isManifest(node: Node): boolean {
  return child(node, "apiVersion") !== undefined &&
    child(node, "kind") !== undefined;
}

/** Every text in a tree. */
function textsIn(node: Node): readonly ScalarNode[] {
  if (node.kind === "scalar") return [node];
  return node.kind === "list"
    ? node.items.flatMap(textsIn)
    : node.entries.flatMap(({ value }) => textsIn(value));
}

function nameOf(manifest: Node): string {
  return textAt(manifest, "metadata", "name");
}

/** Whether it is a Service whose name has one address, not those of its pods. */
function hasClusterIp(manifest: Node): boolean {
  return textAt(manifest, "kind") === "Service" &&
    textAt(manifest, "spec", "clusterIP") !== "None";
}

/** What a text that is a configuration has, in YAML or JSON. */
const OF_ENVOY = /(?:^|[{,\s])"?(?:static|dynamic)_?resources"?\s*:/mi;

/** The one configuration that manifests contain. */
function inManifests(
  documents: readonly Node[],
  source: Source,
): Configuration {
  const { name } = source;
  const manifests = documents.filter((one) => !isEmpty(one)).flatMap((one) =>
    textAt(one, "kind") === "List" ? listIn(one, "items") : [one]
  );
  const found = manifests.flatMap((manifest) =>
    textsIn(manifest)
      .filter(({ text }) => OF_ENVOY.test(text))
      .map((node) => ({ manifest, node }))
  );
  const [only] = found;
  const routes = bareRoutes(manifests, source);
  if (only === undefined && manifests.some(isGrpcRoute)) {
    return {
      ...ofResources([], { kind: "list", offset: 0, items: manifests }, source),
      isWholeFile: false,
      bareRoutes: routes,
      isGatewayOnly: true,
      notes: [
        "no Envoy configuration is in it: only its GRPCRoutes are looked at, " +
        "and --from looks at the Envoy that serves them",
      ],
    };
  }
  if (only === undefined || found.length > 1) {
    const kinds = [
      ...new Set(manifests.map((one) => textAt(one, "kind"))),
    ]
      .filter((kind) => kind !== "").join(", ");
    const names = found.map(({ manifest }) => `"${nameOf(manifest)}"`).join(
      ", ",
    );
    const what = printable(only === undefined ? kinds : names, NAME_UNITS_MAX);
    throw new Failure(
      "environment",
      only === undefined
        ? `Cannot examine ${name}: these are Kubernetes manifests (${what}) ` +
          "without an Envoy configuration; name the file that Envoy reads"
        : `Cannot examine ${name}: it has ${found.length} Envoy ` +
          `configurations, in ${what}; name a file with one of them`,
    );
  }
  const { node, manifest } = only;
  const kind = textAt(manifest, "kind");
  const inner = innerSource(node, source);
  const [tree] = parseTree(node.text, name);
  if (tree === undefined) throw cannotParse(name, "it is empty; name another");
  const read = ofDocument(tree, node.text, inner);
  return {
    ...read,
    isWholeFile: false,
    virtualServices: manifests.filter(hasClusterIp).map((service) => ({
      name: nameOf(service),
      namespace: namespaceOf(service),
      isNear: isSameNamespace(namespaceOf(service), namespaceOf(manifest)),
    })),
    bareRoutes: routes,
    notes: [
      `the configuration is in the ${kind} ` +
      printable(`"${nameOf(manifest)}"`, NAME_UNITS_MAX),
      ...read.notes,
    ],
  };
}

/** A text inside of a file; a block's lines are lines of the file. */
function innerSource(node: ScalarNode, source: Source): Source {
  const start = source.positionOf(node.offset);
  const positionOf = positionsIn(node.text);
  return {
    name: source.name,
    text: source.text,
    positionOf: (offset) => {
      if (node.indent === undefined) return start;
      const { line, column } = positionOf(offset);
      return { line: start.line + line - 1, column: column + node.indent };
    },
  };
}
