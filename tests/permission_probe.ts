/**
 * Tries things that need permissions, and prints what came of each as JSON:
 * "done", or the error's name. Argument: a folder with a file called "file".
 */
const [folder = ""] = Deno.args;

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "read a file": () => Deno.readTextFileSync(`${folder}/file`),
  "write a file": () => Deno.writeTextFileSync(`${folder}/new`, ""),
  "read a folder": () => [...Deno.readDirSync(folder)],
  "start a process": () => new Deno.Command("true").outputSync(),
  "signal a process": () => Deno.kill(Deno.pid, "SIGCONT"),
  "load a library": () => Deno.dlopen("libc.so.6", {}).close(),
  // Nobody is ever there, and no packet leaves the machine.
  "connect to another machine": async () => {
    try {
      await Deno.connect({ hostname: "255.255.255.255", port: 80 });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  },
  "ask a name server": async () => {
    try {
      const nameServer = { ipAddr: "255.255.255.255" };
      await Deno.resolveDns("localhost", "A", {
        nameServer,
        signal: AbortSignal.timeout(1000),
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  },
  "listen on every address of IPv6": () =>
    Deno.listen({ hostname: "::", port: 0 }).close(),
  "read another variable": () => Deno.env.get("PATH"),
  "ask for the system's release": () => Deno.osRelease(),
  "listen on any port of this machine": () => {
    for (const hostname of ["127.0.0.63", "0.0.0.0", "::1"]) {
      Deno.listen({ hostname, port: 0 }).close();
    }
  },
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
