import assert from "node:assert/strict";
import { at } from "../core/yaml.ts";
import { adapted, routesOf } from "./_fixture.ts";

/** A route to the cluster "a", in flow style; its timeout tells it apart. */
function route(match: string, timeout: string, more = ""): string {
  return `{ match: { ${match} }, route: { cluster: a, timeout: ${timeout}${more} } }`;
}

/** What a call takes: the timeout and the match of the route "unary". */
function taken(
  routes: readonly string[],
  service?: string,
): readonly [unknown, unknown] {
  const parts = {
    routes: routes.join(", "),
    // For gRPC, whatever the path.
    cluster: "type: STRICT_DNS\n      http2_protocol_options: {}",
  };
  const found = routesOf(adapted(parts, service));
  const unary = found.find(({ name }) => name === "unary");
  return [at(unary, "route", "timeout"), unary?.["match"]];
}

const OURS = "/demo.v1.Greeter/";

const ROWS: readonly {
  readonly what: string;
  readonly routes: readonly string[];
  readonly service?: string;
  readonly timeout: string;
  readonly match: unknown;
}[] = [
  {
    what: "our own service's route, wherever it is",
    routes: [route("prefix: /acme.A/", "1s"), route(`prefix: ${OURS}`, "2s")],
    timeout: "2s",
    match: { prefix: OURS },
  },
  {
    what: "the first service's, if ours has none",
    routes: [route("prefix: /", "9s"), route("prefix: /acme.A/", "1s")]
      .reverse(),
    timeout: "1s",
    match: { prefix: OURS },
  },
  {
    what: "another service's that was asked for",
    routes: [route("prefix: /acme.A/", "1s"), route("prefix: /acme.B/", "2s")],
    service: "acme.B",
    timeout: "2s",
    match: { prefix: OURS },
  },
  {
    what: "the route of every path for a service that none names",
    routes: [route("prefix: /acme.A/", "1s"), route("prefix: /", "2s")],
    service: "acme.C",
    timeout: "2s",
    match: { prefix: "/" },
  },
  {
    what: "the route of all methods, not of one",
    routes: [
      route("path: /acme.A/Watch", "0s"),
      route("prefix: /acme.A/", "1s"),
    ],
    timeout: "1s",
    match: { prefix: OURS },
  },
  {
    what: "the first method's, if there are only methods",
    routes: [
      route("path: /acme.A/Get", "1s"),
      route("path: /acme.A/Put", "2s"),
    ],
    timeout: "1s",
    match: { prefix: OURS, grpc: {} },
  },
  {
    what: "a regular expression's, with our name in it",
    routes: [
      route("safe_regex: { regex: '/acme\\.B/.*' }", "2s"),
      route("safe_regex: { regex: '/acme\\.A/(Get|Put).*|/acme.A/.+' }", "1s"),
    ],
    service: "acme.A",
    timeout: "1s",
    match: {
      safe_regex: {
        regex: "/demo\\.v1\\.Greeter/(Get|Put).*|/demo.v1.Greeter/.+",
      },
    },
  },
  {
    what: "a path-separated prefix's",
    routes: [route("path_separated_prefix: /acme.A", "1s")],
    timeout: "1s",
    match: { path_separated_prefix: "/demo.v1.Greeter" },
  },
  {
    what: "not a route for a header that our calls do not have",
    routes: [
      route(
        "prefix: /acme.A/, headers: [{ name: x-canary, present_match: true }]",
        "9s",
      ),
      route("prefix: /acme.A/", "1s"),
    ],
    timeout: "1s",
    match: { prefix: OURS },
  },
  {
    what: "a route for headers that our calls have, or must not have",
    routes: [
      route(
        "prefix: /acme.A/, headers: [" +
          "{ name: content-type, string_match: { prefix: application/grpc } }, " +
          "{ name: x-canary, present_match: true, invert_match: true }]",
        "1s",
      ),
      route("prefix: /acme.A/", "9s"),
    ],
    timeout: "1s",
    match: {
      prefix: OURS,
      headers: [
        { name: "content-type", string_match: { prefix: "application/grpc" } },
        { name: "x-canary", present_match: true, invert_match: true },
      ],
    },
  },
  {
    what: "a route whose headers no other does without",
    routes: [
      route(
        "prefix: /acme.A/, headers: [{ name: x-tenant, present_match: true }]",
        "1s",
      ),
    ],
    timeout: "1s",
    match: { prefix: OURS, grpc: {} },
  },
  {
    what: "not a share of the calls",
    routes: [
      route(
        "prefix: /acme.A/, runtime_fraction: { default_value: { numerator: 5 } }",
        "9s",
      ),
      route("prefix: /acme.A/", "1s"),
    ],
    timeout: "1s",
    match: { prefix: OURS },
  },
];

for (const { what, routes, service, timeout, match } of ROWS) {
  Deno.test(`adapt() finds what a call takes: ${what}`, () => {
    assert.deepEqual(taken(routes, service), [timeout, match]);
  });
}

Deno.test("adapt() leaves out the routes that no call of ours takes", () => {
  const routes = [
    route("prefix: /acme.B/", "2s"),
    "{ match: { path: /acme.A/Get }, direct_response: { status: 404 } }",
    route("prefix: /acme.A/", "1s"),
    route("prefix: /", "9s"),
  ].join(", ");
  const found = adapted({ routes }, "acme.A");
  assert.deepEqual(
    routesOf(found).map(({ match }) => match),
    [{ path: `${OURS}Get` }, { prefix: OURS }, { prefix: "/" }],
  );
  assert.ok(
    found.replaced.includes(
      'virtual host "v": without the routes that these calls do not take: /acme.B/',
    ),
    found.replaced.join("\n"),
  );
});

Deno.test("adapt() says that there is no route for a service", () => {
  assert.throws(() => adapted({}, "acme.B"), {
    name: "Failure",
    message: "Cannot run a stack with my.yaml: it has no route for calls of " +
      '"acme.B" to a cluster; name a file with all that a call needs',
  });
});
