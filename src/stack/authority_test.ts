import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { Authority } from "./authority.ts";

const authority = await Authority.create();
const own = new X509Certificate(authority.certificate);

Deno.test("Authority.create() makes an authority that signs itself and is no server", () => {
  assert.equal(own.ca, true);
  assert.equal(own.subject, own.issuer);
  assert.equal(own.verify(own.publicKey), true);
});

Deno.test("issue() makes a server's certificate with its names, for as long as asked", async () => {
  const beforeMs = Math.floor(Date.now() / 1000) * 1000;
  const issued = await authority.issue({
    name: "envoy",
    role: "server",
    hosts: ["localhost", "envoy-tls"],
    addresses: ["127.0.0.1"],
    lifetimeMs: 90_000,
  });
  const certificate = new X509Certificate(issued.certificate);
  assert.equal(certificate.checkIssued(own), true);
  assert.equal(certificate.verify(own.publicKey), true);
  assert.equal(certificate.subject, "CN=envoy");
  assert.equal(
    certificate.subjectAltName,
    "DNS:localhost, DNS:envoy-tls, IP Address:127.0.0.1",
  );
  assert.equal(certificate.serialNumber.toLowerCase(), issued.serial);
  const fromMs = certificate.validFromDate.getTime();
  assert.ok(fromMs >= beforeMs && fromMs <= Date.now());
  const lifetimeMs = certificate.validToDate.getTime() - fromMs;
  assert.ok(Math.abs(lifetimeMs - 90_000) <= 1000, `${lifetimeMs}`);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(issued.key)));
});

Deno.test("issue() makes a new key and a new serial number each time", async () => {
  const wish = { name: "client", role: "client", lifetimeMs: 1000 } as const;
  const [one, two] = [await authority.issue(wish), await authority.issue(wish)];
  assert.notEqual(one.key, two.key);
  assert.notEqual(one.serial, two.serial);
});

Deno.test("an authority does not vouch for another's certificates", async () => {
  const other = await Authority.create();
  const { certificate } = await other.issue({
    name: "client",
    role: "client",
    lifetimeMs: 1000,
  });
  const stranger = new X509Certificate(certificate);
  assert.equal(stranger.verify(own.publicKey), false);
  assert.equal(stranger.checkIssued(own), false, "they have the same name");
});
