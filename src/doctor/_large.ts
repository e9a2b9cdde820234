/** A configuration of any size; for tests. */

const BASE = Deno.readTextFileSync(
  new URL("./cases/base.yaml", import.meta.url),
);

/** That of cases/base.yaml, with as many clusters as it takes. */
export function largeConfig(bytes: number): string {
  const [head = "", cluster = ""] = BASE.split(/(?<= {2}clusters:\n)/);
  const parts = [head];
  let length = head.length;
  for (let index = 0; length < bytes; index++) {
    const part = cluster.replaceAll(
      "quotes",
      `quotes${index === 0 ? "" : index}`,
    );
    parts.push(part);
    length += part.length;
  }
  return parts.join("");
}
