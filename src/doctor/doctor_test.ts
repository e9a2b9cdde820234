import assert from "node:assert/strict";
import { CATALOGUE } from "../../experiments/catalogue.ts";
import {
  type Fields as Editable,
  parseYaml,
  partAt as part,
} from "../core/yaml.ts";
import envoyYaml from "../../envoy.yaml" with { type: "text" };
import { DOCTOR_RULES, examine } from "../lab/doctor.ts";

/** Our own file with one thing changed. */
function changed(change: (config: Editable) => void): string {
  const config = part(parseYaml(envoyYaml, "envoy.yaml"));
  change(config);
  return JSON.stringify(config); // JSON is YAML too.
}

const cluster = (config: Editable) =>
  part(config, "static_resources", "clusters", 0);
const manager = (config: Editable) =>
  part(
    config,
    ...["static_resources", "listeners", 0, "filter_chains", 0, "filters", 0],
    "typed_config",
  );
const routes = (config: Editable) =>
  Object.values(
    part(manager(config), "route_config", "virtual_hosts", 0, "routes"),
  ).map((route) => part(route)["route"] as Editable | undefined)
    .filter((action) => action !== undefined);
const check = (config: Editable) => part(cluster(config), "health_checks", 0);
const thresholds = (config: Editable) =>
  Object.values(part(cluster(config), "circuit_breakers", "thresholds"))
    .map((one) => part(one));
const outlier = (config: Editable) =>
  part(cluster(config), "outlier_detection");

/** A change of our file for each pitfall. */
const FAULTS: Readonly<Record<string, (config: Editable) => void>> = {
  "tcp-proxy": (config) =>
    (part(config, "static_resources")["listeners"] as unknown[]).splice(0, 1),
  "no-health-check": (config) => delete cluster(config)["health_checks"],
  "unknown-service": (config) => {
    check(config)["grpc_health_check"] = { service_name: "nobody.Registered" };
  },
  "no-traffic-interval": (config) =>
    delete check(config)["no_traffic_interval"],
  "panic-threshold": (config) =>
    delete part(cluster(config), "common_lb_config")["healthy_panic_threshold"],
  "new-hosts-before-check": (config) =>
    delete part(cluster(config), "common_lb_config")[
      "ignore_new_hosts_until_first_hc"
    ],
  "removed-hosts-stay": (config) =>
    delete cluster(config)["ignore_health_on_host_removal"],
  "slow-discovery": (config) => delete cluster(config)["dns_refresh_rate"],
  "dns-ttl": (config) => cluster(config)["respect_dns_ttl"] = true,
  "streams-cut": (config) => {
    for (const action of routes(config)) {
      delete action["timeout"];
      delete action["max_stream_duration"];
    }
  },
  "no-retries": (config) => {
    for (const action of routes(config)) delete action["retry_policy"];
  },
  "retry-same-host": (config) => {
    for (const action of routes(config)) {
      const policy = action["retry_policy"] as Editable | undefined;
      delete policy?.["retry_host_predicate"];
    }
  },
  "no-retry-budget": (config) =>
    thresholds(config).forEach((one) => delete one["retry_budget"]),
  "no-circuit-breaker": (config) =>
    thresholds(config).forEach((one) => delete one["max_requests"]),
  "ejects-nobody": (config) => delete outlier(config)["max_ejection_percent"],
  "no-enforcing": (config) => {
    outlier(config)["enforcing_consecutive_5xx"] = 0;
    delete outlier(config)["enforcing_consecutive_gateway_failure"];
  },
  "check-unejects": (config) =>
    delete outlier(config)["successful_active_health_check_uneject_host"],
  "silent-server": (config) =>
    delete cluster(config)["typed_extension_protocol_options"],
  "slow-headers": (config) => delete manager(config)["request_headers_timeout"],
  "no-connection-limit": (config) => delete config["overload_manager"],
};

Deno.test("examine() finds nothing in our own envoy.yaml", () => {
  assert.deepEqual(examine(envoyYaml, "envoy.yaml"), []);
});

for (const { id } of DOCTOR_RULES) {
  Deno.test(`examine() finds "${id}" and nothing else when it is there`, () => {
    const change = FAULTS[id];
    assert.ok(change, `no fault for the rule "${id}"`);
    const found = examine(changed(change), "a.yaml");
    assert.deepEqual(found.map(({ rule }) => rule.id), [id]);
    assert.ok((found[0]?.findings.length ?? 0) > 0);
  });
}

Deno.test("examine() looks into the extension for DNS", () => {
  const found = (rate: object) =>
    examine(
      changed((config) => {
        delete cluster(config)["type"];
        delete cluster(config)["dns_refresh_rate"];
        const type =
          "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster";
        cluster(config)["cluster_type"] = {
          name: "envoy.clusters.dns",
          typed_config: { "@type": type, ...rate },
        };
      }),
      "a.yaml",
    ).map(({ rule }) => rule.id);
  assert.deepEqual(found({ dns_refresh_rate: "1s" }), []);
  assert.deepEqual(found({}), ["slow-discovery"]);
});

Deno.test("every experiment that the doctor names exists", () => {
  const names = new Set(CATALOGUE.map(({ name }) => name));
  const missing = DOCTOR_RULES.map(({ experiment }) => experiment)
    .filter((name) => !names.has(name));
  assert.deepEqual(missing, []);
});

Deno.test("examine() says in a sentence what it cannot examine", () => {
  assert.throws(() => examine("a: [", "a.yaml"), {
    name: "Failure",
    message: /^Cannot parse a\.yaml: /,
  });
  assert.throws(() => examine("a: 1", "a.yaml"), {
    name: "Failure",
    message: /^Cannot examine a\.yaml: it has no static_resources\.listeners/,
  });
});

Deno.test("examine() compares with the services it is told", () => {
  assert.deepEqual(
    examine(envoyYaml, "envoy.yaml", ["other.Service"]).map(({ rule }) =>
      rule.id
    ),
    ["unknown-service"],
  );
});
