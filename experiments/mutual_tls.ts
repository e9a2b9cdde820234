/**
 * Callers of every kind come to listeners with TLS that require a certificate.
 *
 * What is measured: whether those with a certificate of the right authority are
 * answered, and whether each of the others is refused with a sentence that
 * names the reason. In the control listeners do not require certificates, and
 * do not choose h2 in the handshake (ALPN), without which gRPC callers refuse
 * the connection.
 */
import {
  type Claim,
  type Experiment,
  measuredBetween,
  type RunContext,
} from "../src/experiment/authors.ts";
import { type TlsFiles, tlsProblem } from "../src/io/tls.ts";
import { Authority } from "../src/stack/authority.ts";
import { tlsOf } from "../src/stack/stack.ts";
import { noCallIsLost } from "./_claims.ts";

/** The kinds of callers, and what each must be told. */
const STRANGERS = {
  "without a certificate": /requires a client certificate/,
  "with another authority's certificate": /does not trust the certificate/,
  "that trusts another authority": /not signed by the authority in ca\.crt/,
} as const;

type Stranger = keyof typeof STRANGERS;

/** What each kind has. */
async function filesOf(own: TlsFiles): Promise<Record<Stranger, TlsFiles>> {
  const other = await Authority.create();
  const { certificate, key } = await other.issue({
    name: "stranger",
    role: "client",
    lifetimeMs: 60_000,
  });
  return {
    "without a certificate": { authority: own.authority },
    "with another authority's certificate": { ...own, certificate, key },
    "that trusts another authority": { ...own, authority: other.certificate },
  };
}

async function callersCome(run: RunContext): Promise<void> {
  const own = await tlsOf(run.stack)?.();
  if (own === undefined) throw new RangeError("There is no TLS");
  const files = await filesOf(own);
  for (const name of Object.keys(STRANGERS) as Stranger[]) {
    for (const target of [run.stack.endpoint, run.stack.l4Endpoint]) {
      const why = await tlsProblem(target, () => Promise.resolve(files[name]));
      run.measure(name, why !== undefined && STRANGERS[name].test(why) ? 1 : 0);
    }
  }
}

function refused(name: Stranger): Claim {
  return {
    id: name.replaceAll(" ", "-"),
    text: `a caller ${name} is refused on both listeners, and told why`,
    judge: measuredBetween(name, { min: 1 }),
  };
}

export const mutualTls: Experiment = {
  name: "mutual-tls",
  question:
    "Who gets in where certificates are required, and who learns why not?",
  isShort: true,
  setup: { servers: 3, tls: {} },
  load: { ratePerS: 50, durationMs: 4000 },
  events: [{ atMs: 500, label: "callers of every kind", do: callersCome }],
  claims: [
    noCallIsLost,
    ...(Object.keys(STRANGERS) as Stranger[]).map(refused),
  ],
  control: {
    about: "no certificate is required, and no h2 chosen",
    setup: { tls: { requiresCallers: false, alpnProtocols: [] } },
    breaks: ["lost", "without-a-certificate"],
  },
};
