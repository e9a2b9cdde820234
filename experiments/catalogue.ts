/** Every experiment, in the order in which they are listed and run. */
import type { Experiment } from "../src/experiment/authors.ts";
import { everythingAtOnce } from "./everything_at_once.ts";
import { scaleDown } from "./scale_down.ts";
import { scaleUp } from "./scale_up.ts";
import { termWithSlowCalls } from "./term_with_slow_calls.ts";
import { l4PinsCalls } from "./l4_pins_calls.ts";
import { dnsOutage } from "./dns_outage.ts";
import { edsOrDns } from "./eds_or_dns.ts";
import { killOne } from "./kill_one.ts";
import { panicThresholdDrill } from "./panic_threshold.ts";
import { rollingRestart } from "./rolling_restart.ts";
import { workerConcurrency } from "./worker_concurrency.ts";
import { rapidReset } from "./rapid_reset.ts";
import { twoOfThreeKilled } from "./two_of_three_killed.ts";
import { allDownAndBack } from "./all_down_and_back.ts";
import { circuitBreaker } from "./circuit_breaker.ts";
import { retryStorm } from "./retry_storm.ts";
import { retryBudget } from "./retry_budget.ts";
import { faultyServer } from "./faulty_server.ts";
import { ejectionCap } from "./ejection_cap.ts";
import { brownOut } from "./brown_out.ts";
import { pausedServer } from "./paused_server.ts";
import { duplicateExecution } from "./duplicate_execution.ts";
import { wrongHealthService } from "./wrong_health_service.ts";
import { connectionAge } from "./connection_age.ts";
import { routeTimeout } from "./route_timeout.ts";
import { slowStartShare } from "./slow_start.ts";
import { stickyCallers } from "./sticky_callers.ts";
import { certificateRotation } from "./certificate_rotation.ts";
import { mutualTls } from "./mutual_tls.ts";
import { envoyRestart } from "./envoy_restart.ts";
import { longStreams, movedStreams } from "./streams.ts";
import { cancelStorm } from "./cancel_storm.ts";
import { slowloris } from "./slowloris.ts";
import { silentPeers } from "./silent_peers.ts";
import { connectionChurn } from "./connection_churn.ts";
import { healthChecksOfADay } from "./health_checks_of_a_day.ts";
import { hostilePeers } from "./hostile_peers.ts";
import { slowReaders } from "./slow_readers.ts";
import { malformed } from "./malformed.ts";
import { envoyMemory } from "./envoy_memory.ts";
import { largeReplies } from "./large_replies.ts";
import { podsWithStreams } from "./kubernetes_streams.ts";
import { newEnvoy } from "./kubernetes_envoys.ts";
import { everythingOnKubernetes } from "./kubernetes_everything.ts";
import {
  envoyRollout,
  serverRollout,
  serverRolloutAtOnce,
} from "./kubernetes_rollouts.ts";
import {
  containerKill,
  forcedDelete,
  nodeDrain,
  podsScale,
  podsScaleUp,
  readinessFlips,
} from "./kubernetes_pods.ts";
import { oversize } from "./oversize.ts";

/** All experiments. */
export const CATALOGUE: readonly Experiment[] = [
  l4PinsCalls,
  rollingRestart,
  termWithSlowCalls,
  killOne,
  scaleUp,
  scaleDown,
  slowStartShare,
  stickyCallers,
  dnsOutage,
  edsOrDns,
  everythingAtOnce,
  panicThresholdDrill,
  workerConcurrency,
  rapidReset,
  twoOfThreeKilled,
  allDownAndBack,
  circuitBreaker,
  retryStorm,
  retryBudget,
  faultyServer,
  ejectionCap,
  brownOut,
  pausedServer,
  duplicateExecution,
  routeTimeout,
  wrongHealthService,
  envoyRestart,
  connectionAge,
  mutualTls,
  certificateRotation,
  longStreams,
  movedStreams,
  cancelStorm,
  slowloris,
  silentPeers,
  malformed,
  oversize,
  largeReplies,
  envoyMemory,
  hostilePeers,
  slowReaders,
  connectionChurn,
  healthChecksOfADay,
  serverRollout,
  serverRolloutAtOnce,
  envoyRollout,
  containerKill,
  forcedDelete,
  nodeDrain,
  podsScaleUp,
  podsScale,
  podsWithStreams,
  readinessFlips,
  newEnvoy,
  everythingOnKubernetes,
];
