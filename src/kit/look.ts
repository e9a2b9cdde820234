/** Looks at a laptop: does it have what a workshop needs? */
import config from "../../deno.json" with { type: "json" };
import { Failure } from "../core/errors.ts";
import { Histogram } from "../core/histogram.ts";
import { kitFolder, projectFolder } from "../io/build.ts";
import { requireKitFiles } from "../io/kit.ts";
import { runOpenLoop } from "../io/open_loop.ts";
import { runToEnd } from "../io/processes.ts";
import { Greeter } from "../io/proto.ts";
import { callToEnd, connect } from "../io/rpc.ts";
import { findTool } from "../io/tools.ts";
import { freePorts } from "../stack/free_port.ts";
import { NativeStack } from "../stack/native.ts";
import { type Figures, type Item, type Look, versionNumber } from "./code.ts";
import {
  type Finding,
  judgeAddresses,
  judgeDisk,
  judgeFiles,
  judgeMemory,
  judgePorts,
  judgeProcessor,
  judgeSpeed,
  type Speed,
} from "./judge.ts";

/** What `up` listens on unless it is told otherwise. */
const PORTS = [5000, 5001, 9901, 8000];
const SERVER_PORT = 8080;

/** A native stack may be scaled to as many. */
const ADDRESSES = [1, 2, 3, 4, 5, 6, 7, 8].map((last) => `127.0.0.${last}`);

const SERVERS = 3;

/** The load: more than experiments need, for a few seconds. */
const RATE_PER_S = 200;
const LOAD_S = 3;
const DEADLINE_MS = 2000;

const GIB = 2 ** 30;

/**
 * Looks at this machine, one item after another.
 *
 * @param onFinding Receives what was found, as it is found.
 * @param options `onProgress` receives what is fetched, from source; `signal`
 * interrupts it.
 * @returns What a code holds.
 * @throws {Failure} Only when it is interrupted: whatever else goes wrong is a
 * finding.
 */
export async function lookAround(
  onFinding: (finding: Finding) => void,
  options: {
    readonly onProgress: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<Look> {
  const fine = new Set<Item>();
  const figures: { -readonly [K in keyof Figures]: number } = {
    ...{ version: versionNumber(config.version), cores: 0, memory64Mib: 0 },
    ...{ disk256Mib: 0, callsPerS: 0, p99Ms: 0 },
  };
  const look = async (item: Item, find: () => Promise<Finding>) => {
    const found = await find().catch((error): Finding => {
      if (options.signal.aborted) throw error;
      return { item, isFine: false, said: Failure.from(error).message };
    });
    if (found.isFine) fine.add(item);
    onFinding(found);
  };
  let envoyPath = "";
  await look("versions", async () => {
    const envoy = await findTool("envoy", options);
    const k6 = await findTool("k6", options);
    envoyPath = envoy.path;
    const pinned = config.toolVersions.deno;
    const isFine = Deno.version.deno === pinned;
    const said = `demo ${config.version}, Deno ${Deno.version.deno}, ` +
      `Envoy ${envoy.version}, k6 ${k6.version}`;
    return {
      item: "versions",
      isFine,
      said: isFine ? said : `${said}; it is made for Deno ${pinned}`,
    };
  });
  await look("parts", async () => {
    const kit = kitFolder();
    if (kit !== undefined) await requireKitFiles(kit, () => true);
    const said = kit === undefined ? "run from source" : "all as packed";
    return { item: "parts", isFine: true, said };
  });
  await look("ports", () => Promise.resolve(lookAtPorts()));
  await look("addresses", () => Promise.resolve(lookAtAddresses()));
  await look("files", async () => {
    const limit = (await shell("ulimit -Hn")).trim();
    return judgeFiles(limit === "unlimited" ? Infinity : Number(limit));
  });
  await look("disk", async () => {
    const gib = await freeDiskGib(projectFolder());
    figures.disk256Mib = gib * 4;
    return judgeDisk(gib);
  });
  await look("memory", () => {
    const gib = Deno.systemMemoryInfo().available / GIB;
    figures.memory64Mib = gib * 16;
    return Promise.resolve(judgeMemory(gib));
  });
  await look("processor", () => {
    figures.cores = navigator.hardwareConcurrency;
    return Promise.resolve(judgeProcessor(figures.cores));
  });
  await look("speed", async () => {
    if (envoyPath === "") {
      return {
        item: "speed",
        isFine: false,
        said: "not measured without Envoy",
      };
    }
    const speed = await measureSpeed(envoyPath, options.signal);
    figures.callsPerS = Math.round(speed.reachedPerS);
    figures.p99Ms = Math.ceil(speed.p99Ms);
    return judgeSpeed(speed);
  });
  return { fine, figures };
}

function lookAtPorts(): Finding {
  const places = [
    ...PORTS.map((port) => ({ hostname: "127.0.0.1", port })),
    ...ADDRESSES.slice(0, SERVERS)
      .map((hostname) => ({ hostname, port: SERVER_PORT })),
  ];
  const taken = places.filter((place) => listenError(place) === "taken")
    .map(({ hostname, port }) => `${hostname}:${port}`);
  return judgePorts([...PORTS, SERVER_PORT], taken);
}

function lookAtAddresses(): Finding {
  const absent = ADDRESSES
    .filter((hostname) => listenError({ hostname, port: 0 }) !== undefined);
  return judgeAddresses(ADDRESSES, absent);
}

/** Why this machine cannot listen there; undefined if it can. */
function listenError(
  place: { readonly hostname: string; readonly port: number },
): "taken" | "other" | undefined {
  try {
    Deno.listen(place).close();
    return undefined;
  } catch (error) {
    return error instanceof Deno.errors.AddrInUse ? "taken" : "other";
  }
}

/** @throws {Failure} When the system cannot tell. */
async function freeDiskGib(folder: string): Promise<number> {
  const { stdout } = await runToEnd("df", ["-Pk", folder]);
  const kib = Number(stdout.trim().split("\n").at(-1)?.split(/\s+/)[3]);
  if (Number.isNaN(kib)) {
    throw new Failure("environment", `Cannot read what df says: "${stdout}"`);
  }
  return kib / 2 ** 20;
}

async function shell(words: string): Promise<string> {
  return (await runToEnd("sh", ["-c", words])).stdout;
}

/** Starts a stack on free ports and loads it for some seconds. */
async function measureSpeed(
  envoyPath: string,
  signal: AbortSignal,
): Promise<Speed> {
  const stack = await NativeStack.start({
    ...{ envoyPath, servers: SERVERS, signal },
    ...freePorts(),
  });
  const client = connect(Greeter, stack.endpoint);
  try {
    const latencies = new Histogram();
    let lost = 0;
    const { made, reachedPerS } = await runOpenLoop({
      ratePerS: RATE_PER_S,
      count: RATE_PER_S * LOAD_S,
      signal,
      makeCall: async () => {
        const startedMs = performance.now();
        const { status } = await callToEnd(client, "SayHello", {
          name: "look",
        }, { deadlineMs: DEADLINE_MS });
        if (status === "OK") latencies.add(performance.now() - startedMs);
        else lost += 1;
      },
    });
    return {
      ...{ calls: made, lost, askedPerS: RATE_PER_S, reachedPerS },
      p99Ms: latencies.percentileMs(99) ?? 0,
    };
  } finally {
    client.close();
    await stack.close();
  }
}
