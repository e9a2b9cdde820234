/**
 * Tries things that need permissions, and prints what came of each as JSON:
 * "done", or the error's name. Arguments: a folder with a file called "file",
 * and a port of 127.0.0.1 that somebody listens on.
 */
const [folder = "", port = ""] = Deno.args;
const hostname = "127.0.0.1";

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "read a file": () => Deno.readTextFileSync(`${folder}/file`),
  "write a file": () => Deno.writeTextFileSync(`${folder}/new`, ""),
  "read a folder": () => [...Deno.readDirSync(folder)],
  "start a process": () => new Deno.Command("true").outputSync(),
  "signal a process": () => Deno.kill(Deno.pid, "SIGCONT"),
  "load a library": () => Deno.dlopen("libc.so.6", {}).close(),
  "connect elsewhere": async () =>
    (await Deno.connect({ hostname, port: Number(port) })).close(),
  "listen elsewhere": () => Deno.listen({ hostname, port: 0 }).close(),
  "read another variable": () => Deno.env.get("PATH"),
  "ask for the system's release": () => Deno.osRelease(),
  "listen on a server's port": () =>
    Deno.listen({ hostname: "127.0.0.63", port: 8080 }).close(),
  "read a server's variable": () => Deno.env.get("SERVER_PORT"),
  "ask for the host name": () => Deno.hostname(),
};

const results: Record<string, string> = {};
for (const [what, attempt] of Object.entries(ATTEMPTS)) {
  try {
    await attempt();
    results[what] = "done";
  } catch (error) {
    results[what] = error instanceof Error ? error.name : String(error);
  }
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(results)));
