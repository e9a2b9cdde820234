import assert from "node:assert/strict";
import { EnvoyAdmin } from "./envoy_admin.ts";

/** Runs `work` with the admin client of a server that answers so. */
async function withAdmin(
  handler: (request: Request) => Response | Promise<Response>,
  work: (admin: EnvoyAdmin) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    handler,
  );
  try {
    await work(
      new EnvoyAdmin(`127.0.0.1:${server.addr.port}`, { timeoutMs: 200 }),
    );
  } finally {
    await server.shutdown();
  }
}

function host(port: number, health: Record<string, unknown>) {
  return {
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    stats: [
      { name: "rq_total", value: "12", type: "COUNTER" },
      { name: "rq_active", type: "GAUGE" },
    ],
    health_status: health,
  };
}

const CLUSTERS = {
  cluster_statuses: [
    { name: "empty" },
    {
      name: "grpc-server",
      host_statuses: [
        host(1, { eds_health_status: "HEALTHY" }),
        host(2, { eds_health_status: "HEALTHY", failed_outlier_check: true }),
        host(3, {
          eds_health_status: "HEALTHY",
          failed_active_health_check: true,
          failed_outlier_check: false,
        }),
      ],
    },
  ],
};

Deno.test("hosts() puts an IPv6 address in brackets", async () => {
  const one = host(80, {});
  one.address.socket_address.address = "::1";
  const statuses = [{ name: "a", host_statuses: [one] }];
  await withAdmin(
    () => Response.json({ cluster_statuses: statuses }),
    async (admin) => {
      const hosts = await admin.hosts("a");
      assert.deepEqual(hosts.map(({ address }) => address), ["[::1]:80"]);
    },
  );
});

Deno.test("hosts() names a host that is a listener within Envoy", async () => {
  const address = {
    envoy_internal_address: { server_listener_name: "service" },
  };
  const statuses = [{ name: "a", host_statuses: [{ address }] }];
  await withAdmin(
    () => Response.json({ cluster_statuses: statuses }),
    async (admin) => {
      const hosts = await admin.hosts("a");
      assert.deepEqual(hosts.map(({ address }) => address), ["service"]);
    },
  );
});

Deno.test("hosts() tells what is held against each host", async () => {
  const asked: string[] = [];
  const handler = (request: Request) => {
    asked.push(request.url.replace(/^.*?\/\/[^/]*/, ""));
    return Response.json(CLUSTERS);
  };
  const stats = new Map([["rq_total", 12], ["rq_active", 0]]);
  await withAdmin(handler, async (admin) => {
    assert.deepEqual(await admin.hosts("grpc-server"), [
      {
        address: "127.0.0.1:1",
        isHealthy: true,
        isEjected: false,
        flags: [],
        stats,
      },
      {
        address: "127.0.0.1:2",
        isHealthy: false,
        isEjected: true,
        flags: ["failed_outlier_check"],
        stats,
      },
      {
        address: "127.0.0.1:3",
        isHealthy: false,
        isEjected: false,
        flags: ["failed_active_health_check"],
        stats,
      },
    ]);
    assert.deepEqual(await admin.hosts("empty"), []);
    assert.deepEqual(await admin.hosts("unknown"), []);
  });
  assert.equal(asked[0], "/clusters?format=json");
});

Deno.test("hosts() knows none before there is a cluster", async () => {
  await withAdmin(() => Response.json({}), async (admin) => {
    assert.deepEqual(await admin.hosts("grpc-server"), []);
  });
});

Deno.test("hosts() fails when it is not Envoy that answers", async () => {
  await withAdmin(() => new Response("<html>"), async (admin) => {
    await assert.rejects(admin.hosts("grpc-server"), {
      name: "Failure",
      kind: "environment",
      message: `What answers at ${admin.url} is not Envoy's admin interface; ` +
        "stop it or choose another admin port",
    });
  });
});

Deno.test("stats() reads counters and gauges, and nothing else", async () => {
  const text = [
    "cluster.a.upstream_rq_total: 3",
    "listener.[__1]_5000.downstream_cx_total: 1",
    'cluster.a.text: "words"',
    "cluster.a.time: P0(nan,1) P50(nan,2)",
    "",
  ].join("\n");
  let search: URLSearchParams | undefined;
  const handler = (request: Request) => {
    search = new URL(request.url).searchParams;
    return new Response(text);
  };
  await withAdmin(handler, async (admin) => {
    assert.deepEqual(
      await admin.stats("^cluster\\.a\\+&.*"),
      new Map([
        ["cluster.a.upstream_rq_total", 3],
        ["listener.[__1]_5000.downstream_cx_total", 1],
      ]),
    );
  });
  assert.equal(search?.get("filter"), "^cluster\\.a\\+&.*");
});

Deno.test("post() sends a POST", async () => {
  const seen: string[] = [];
  const handler = (request: Request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname}`);
    return new Response("OK\n");
  };
  await withAdmin(handler, (admin) => admin.post("healthcheck/fail"));
  assert.deepEqual(seen, ["POST /healthcheck/fail"]);
});

Deno.test("post() fails when Envoy refuses", async () => {
  const handler = () => new Response("not allowed\n", { status: 403 });
  await withAdmin(handler, async (admin) => {
    await assert.rejects(admin.post("quitquitquit"), {
      name: "Failure",
      kind: "environment",
      message:
        `Envoy's admin interface refused POST ${admin.url}quitquitquit ` +
        "with status 403: not allowed",
    });
  });
});

Deno.test("stats() fails when there is no answer in time", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await withAdmin(() => promise, async (admin) => {
    try {
      await assert.rejects(admin.stats("x"), {
        name: "Failure",
        kind: "environment",
        message: `Envoy's admin interface does not answer ${admin.url}stats` +
          "?filter=x: it took longer than 200 ms; check that Envoy is running",
      });
    } finally {
      resolve(new Response()); // The fake ends only then.
    }
  });
});

for (
  const [isReady, response] of [
    [true, new Response("LIVE\n")],
    [false, new Response("DRAINING\n")],
    [false, new Response("PRE_INITIALIZING\n", { status: 503 })],
  ] as const
) {
  Deno.test(`isReady() is ${isReady} at status ${response.status}`, async () => {
    await withAdmin(() => response, async (admin) => {
      assert.equal(await admin.isReady(), isReady);
    });
  });
}

Deno.test("isReady() is false when nothing listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const admin = new EnvoyAdmin(`127.0.0.1:${listener.addr.port}`);
  listener.close();
  assert.equal(await admin.isReady(), false);
});
