/** Which fields the doctor reads; for tests. */
import { Message } from "./message.ts";

/**
 * Runs `use` and gives each field that was asked for meanwhile, as
 * "envoy.config.cluster.v3.Cluster.type".
 */
export function fieldsRead(use: () => void): ReadonlySet<string> {
  const read = new Set<string>();
  const { field } = Message.prototype;
  Message.prototype.field = function (this: Message, path: string) {
    read.add(`${this.type}.${path.split(".")[0]}`);
    return field.call(this, path);
  };
  try {
    use();
  } finally {
    Message.prototype.field = field;
  }
  return read;
}
