/**
 * Spellings of a cluster's fields, and how they read; Envoy refuses those
 * without a reading. A test compares every row with Envoy itself.
 */
export interface ReadingRow {
  readonly field: string;
  /** In YAML, on one line. */
  readonly value: string;
  /** Plain values; durations are milliseconds. null: the field is not set. */
  readonly reads: unknown;
}

const refused = Symbol("refused");

/** The reading of what Envoy refuses. */
export const REFUSED: unknown = refused;

const row = (field: string, value: string, reads: unknown): ReadingRow => ({
  field,
  value,
  reads,
});

const CHECK =
  "timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1";

export const READINGS: readonly ReadingRow[] = [
  // Durations.
  row("connect_timeout", "0.25s", 250),
  row("connect_timeout", "'0.25s'", 250),
  row("connect_timeout", "01s", 1000),
  row("connect_timeout", "0.000000001s", 1e-6),
  row("connect_timeout", "{ seconds: 1, nanos: 500000000 }", 1500),
  row("connect_timeout", "{ seconds: '2' }", 2000),
  row("connect_timeout", "{ seconds: 1.5 }", REFUSED),
  row("connect_timeout", "{ seconds: x }", REFUSED),
  row("connect_timeout", "{ seconds: 1, constructor: 1 }", REFUSED),
  row("connect_timeout", "{ seconds: 1, second: 1 }", REFUSED),
  row("connect_timeout", "null", null),
  row("connect_timeout", "~", null),
  row("connect_timeout", "", null),
  row("connectTimeout", "1s", 1000),
  row("connect_timeout", "1", REFUSED),
  row("connect_timeout", "'1'", REFUSED),
  row("connect_timeout", "1000ms", REFUSED),
  row("connect_timeout", ".5s", REFUSED),
  row("connect_timeout", "1.s", REFUSED),
  row("connect_timeout", "+1s", REFUSED),
  row("connect_timeout", "1e1s", REFUSED),
  row("connect_timeout", "1.1234567891s", REFUSED),
  row("connect_timeout", "1 s", REFUSED),
  row("connect_timeout", "1S", REFUSED),
  row("connect_timeout", "[1s]", REFUSED),
  // Numbers, here in a wrapper.
  row("per_connection_buffer_limit_bytes", "100", 100),
  row("per_connection_buffer_limit_bytes", "'100'", 100),
  row("per_connection_buffer_limit_bytes", "{ value: 100 }", 100),
  row("per_connection_buffer_limit_bytes", "{}", 0),
  row("per_connection_buffer_limit_bytes", "{ value: null }", 0),
  row("per_connection_buffer_limit_bytes", "1e2", 100),
  row("per_connection_buffer_limit_bytes", "'1e2'", 100),
  row("per_connection_buffer_limit_bytes", "100.0", 100),
  row("per_connection_buffer_limit_bytes", "0x64", 100),
  row("per_connection_buffer_limit_bytes", "0144", 100),
  row("per_connection_buffer_limit_bytes", "+100", 100),
  row("per_connection_buffer_limit_bytes", "{ valu: 100 }", REFUSED),
  row("per_connection_buffer_limit_bytes", "{ '@type': x }", REFUSED),
  row("per_connection_buffer_limit_bytes", "'0x64'", 100),
  row("per_connection_buffer_limit_bytes", "'+100'", 100),
  row("per_connection_buffer_limit_bytes", "'100.'", 100),
  row("per_connection_buffer_limit_bytes", "'.1e3'", 100),
  row("per_connection_buffer_limit_bytes", "'0100'", 100),
  row("per_connection_buffer_limit_bytes", "'1e-1'", REFUSED),
  row("per_connection_buffer_limit_bytes", "null", null),
  row("per_connection_buffer_limit_bytes", "0o144", REFUSED),
  row("per_connection_buffer_limit_bytes", "100.5", REFUSED),
  row("per_connection_buffer_limit_bytes", "-1", REFUSED),
  row("per_connection_buffer_limit_bytes", "4294967296", REFUSED),
  row("per_connection_buffer_limit_bytes", "' 100'", REFUSED),
  row("per_connection_buffer_limit_bytes", "1_00", REFUSED),
  row("per_connection_buffer_limit_bytes", "true", REFUSED),
  row("per_connection_buffer_limit_bytes", "[100]", REFUSED),
  row("per_connection_buffer_limit_bytes", "''", REFUSED),
  // Booleans.
  row("ignore_health_on_host_removal", "true", true),
  row("ignore_health_on_host_removal", "'true'", true),
  row("ignore_health_on_host_removal", "True", true),
  row("ignore_health_on_host_removal", "TRUE", true),
  row("ignore_health_on_host_removal", "tRue", true),
  row("ignore_health_on_host_removal", "yes", true),
  row("ignore_health_on_host_removal", "'yes'", true),
  row("ignore_health_on_host_removal", "on", true),
  row("ignore_health_on_host_removal", "y", true),
  row("ignore_health_on_host_removal", "'1'", true),
  row("ignore_health_on_host_removal", "off", false),
  row("ignore_health_on_host_removal", "'no'", false),
  row("ignore_health_on_host_removal", "null", null),
  row("ignore_health_on_host_removal", "1", REFUSED),
  row("ignore_health_on_host_removal", "'on'", REFUSED),
  row("ignore_health_on_host_removal", "truly", REFUSED),
  // Enums.
  row("lb_policy", "LEAST_REQUEST", "LEAST_REQUEST"),
  row("lb_policy", "least_request", "LEAST_REQUEST"),
  row("lb_policy", "Least_Request", "LEAST_REQUEST"),
  row("lb_policy", "1", "LEAST_REQUEST"),
  row("lb_policy", "'1'", "LEAST_REQUEST"),
  row("lb_policy", "null", null),
  row("lb_policy", "least-request", REFUSED),
  row("lb_policy", "leastRequest", REFUSED),
  row("lb_policy", "ROUND_ROBBIN", REFUSED),
  row("lb_policy", "99", REFUSED),
  row("lb_policy", "1.0", REFUSED),
  row("lb_policy", "true", REFUSED),
  row("lb_policy", "''", REFUSED),
  // Texts.
  row("alt_stat_name", "abc", "abc"),
  row("alt_stat_name", "'123'", "123"),
  row("alt_stat_name", "1.5", "1.5"),
  row("alt_stat_name", "2026-01-01", "2026-01-01"),
  row("alt_stat_name", "'null'", "null"),
  row("alt_stat_name", '"\\e[31m"', "\u001b[31m"),
  row("alt_stat_name", "null", null),
  row("alt_stat_name", "123", REFUSED),
  row("alt_stat_name", "yes", REFUSED),
  row("alt_stat_name", "[a]", REFUSED),
  // Messages and lists.
  row("common_lb_config", "{ healthy_panic_threshold: { value: 1 } }", {
    healthy_panic_threshold: { value: 1 },
  }),
  row("common_lb_config", "{ healthyPanicThreshold: { value: '1e1' } }", {
    healthy_panic_threshold: { value: 10 },
  }),
  row("common_lb_config", "{ healthy_panic_threshold: {} }", {
    healthy_panic_threshold: {},
  }),
  row("common_lb_config", "{ healthy_panic_threshold: { value: '0x10' } }", {
    healthy_panic_threshold: { value: 16 },
  }),
  row("common_lb_config", "{ healthy_panic_threshold: { value: ' +.5 ' } }", {
    healthy_panic_threshold: { value: 0.5 },
  }),
  row(
    "common_lb_config",
    "{ healthy_panic_threshold: { value: '1_0' } }",
    REFUSED,
  ),
  row("common_lb_config", "{ '@type': x }", REFUSED),
  row("common_lb_config", "{ healthy_panic_threshold: null }", {}),
  row("common_lb_config", "null", null),
  row("common_lb_config", "{ healthy_panic_threshold: 0 }", REFUSED),
  row("common_lb_config", "[{}]", REFUSED),
  row("common_lb_config", "''", REFUSED),
  row("circuit_breakers", "{ thresholds: { max_requests: 5 } }", {
    thresholds: [{ max_requests: 5 }],
  }),
  row("circuit_breakers", "{ thresholds: [[{ max_requests: 5 }]] }", {
    thresholds: [{ max_requests: 5 }],
  }),
  row("circuit_breakers", "{ thresholds: [{ priority: high }] }", {
    thresholds: [{ priority: "HIGH" }],
  }),
  row("circuit_breakers", "{ thresholds: [{ max_requests: 5 }, null] }", {
    thresholds: [{ max_requests: 5 }, {}],
  }),
  row("circuit_breakers", "{ thresholds: [] }", {}),
  row("circuit_breakers", "{ thresholds: null }", {}),
  row("circuit_breakers", "{ thresholds: [1] }", REFUSED),
  row("health_checks", `{ ${CHECK}, tcp_health_check: {} }`, [{
    timeout: 1000,
    interval: 1000,
    unhealthy_threshold: 1,
    healthy_threshold: 1,
    tcp_health_check: {},
  }]),
  row(
    "health_checks",
    `{ ${CHECK}, tcp_health_check: {}, http_health_check: null }`,
    [{
      timeout: 1000,
      interval: 1000,
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      tcp_health_check: {},
    }],
  ),
  row(
    "health_checks",
    `{ ${CHECK}, tcp_health_check: {}, http_health_check: { path: / } }`,
    REFUSED,
  ),
  // Free JSON, and maps.
  row(
    "metadata",
    "{ filter_metadata: { a: { b: 1, c: [x], d: { e: yes } } } }",
    {
      filter_metadata: { a: { b: 1, c: ["x"], d: { e: true } } },
    },
  ),
  row("metadata", "{ filter_metadata: null }", {}),
  row("metadata", "{ filter_metadata: [1] }", REFUSED),
  // Names.
  row("nope", "1", REFUSED),
  row("nope", "null", REFUSED),
  row("Connect_Timeout", "1s", REFUSED),
  row("connecttimeout", "1s", REFUSED),
  row("<<", "{ connect_timeout: 1s }", REFUSED),
];
