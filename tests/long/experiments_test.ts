/** All short experiments, as a command. */
import { CATALOGUE } from "../../experiments/catalogue.ts";
import { experimentsHold } from "../experiment_runs.ts";

Deno.test("experiment all --short: all held, every control broken", async () => {
  const short = CATALOGUE.filter(({ isShort }) => isShort);
  await experimentsHold(
    ["all", "--short", "--seed", "1"],
    short.map(({ name }) => name),
  );
});
