import "reflect-metadata";
import { KeyObject, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { BasicConstraintsExtension, X509CertificateGenerator } from "@peculiar/x509";
import type { DateTime } from "luxon";
import { connect, createServer, type Server } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { certificatesIn, isForExactly, isSignedBy, keyFits, lifeOf, renewalOf } from "./certificate-facts.ts";
import { crossSign, issueCa, issueServer, type Certificate } from "./certificates.ts";
import { isTrusted } from "./chain.ts";

const now = new ManualClock("2026-11-21T08:00:00Z").now();
const hosts = ["contoso-edge.edge.svc.cluster.local", "contoso-edge", "10.96.0.10", "fd00::10"];
const ca = await issueCa("contoso-edge", now, randomBytes);
const server = await issueServer(hosts, ca, now, randomBytes);

/** As versions before cross certificates made them. */
async function authorityForServersOnly(at: DateTime<true>): Promise<Certificate> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=contoso-edge",
    notBefore: at.toJSDate(),
    notAfter: at.plus({ years: 1 }).toJSDate(),
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate: certificate.toString("pem"), key };
}

describe("certificates", () => {
  it("last ten years and one, and are renewed after two thirds of that", () => {
    expect(new X509Certificate(ca.certificate).validToDate.toISOString()).toBe("2036-11-21T08:00:00.000Z");
    expect(new X509Certificate(server.certificate).validToDate.toISOString()).toBe(
      "2027-11-21T08:00:00.000Z",
    );
    expect(renewalOf(server.certificate)?.toISODate()).toBe("2027-07-22");
    expect(renewalOf(ca.certificate)?.toISODate()).toBe("2033-07-22");
  });

  it("come from an authority, and are none", () => {
    const parsed = new X509Certificate(ca.certificate);
    expect(parsed.ca).toBe(true);
    expect(new X509Certificate(server.certificate).ca).toBe(false);
    expect(new X509Certificate(server.certificate).keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  it.each([
    { because: "nothing changed", wanted: hosts, fits: true },
    { because: "the order of names means nothing", wanted: [...hosts].reverse(), fits: true },
    {
      because: "the Service got another address",
      wanted: [...hosts.slice(0, 2), "10.96.0.11", "fd00::10"],
      fits: false,
    },
    { because: "a name was added", wanted: [...hosts, "registry.contoso.example"], fits: false },
    { because: "a name was taken away", wanted: hosts.slice(0, 3), fits: false },
  ])("are for their hosts: $because", ({ wanted, fits }) => {
    expect(isForExactly(server.certificate, wanted)).toBe(fits);
  });

  it("are not for another authority of the same name", async () => {
    const other = await issueCa("contoso-edge", now, randomBytes);
    expect(isSignedBy(server.certificate, ca.certificate)).toBe(true);
    expect(isSignedBy(server.certificate, other.certificate)).toBe(false);
  });

  it("count as unusable when somebody spoiled them", () => {
    expect(keyFits(server)).toBe(true);
    expect(keyFits({ ...server, key: ca.key })).toBe(false);
    expect(keyFits({ ...server, key: "x" })).toBe(false);
    expect(keyFits({ ...server, certificate: "x" })).toBe(false);
    expect(lifeOf("x")).toBeUndefined();
    expect(isForExactly("x", hosts)).toBe(false);
    expect(isSignedBy("x", ca.certificate)).toBe(false);
  });

  it("end with their authority, however late they are made", async () => {
    const late = now.plus({ years: 9, months: 6 });
    const last = await issueServer(hosts, ca, late, randomBytes);
    expect(lifeOf(last.certificate)?.end).toEqual(lifeOf(ca.certificate)?.end);
  });

  it("have names that fit, however long those of the registry are", async () => {
    const { certificate } = await issueCa(
      `Connected Registry ${"a".repeat(63)}/${"b".repeat(40)}`,
      now,
      randomBytes,
    );
    expect(new X509Certificate(certificate).subject.replace("CN=", "")).toHaveLength(64);
  });
});

describe("a client", () => {
  // The real one takes part in these: certificates of today.
  const today = systemClock.now();
  const names = ["localhost", "127.0.0.1"];
  const authority = (): Promise<Certificate> => issueCa("contoso-edge", today, randomBytes);
  const listeners: Server[] = [];
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.close();
  });

  async function takes(trusted: string, served: Certificate): Promise<boolean> {
    const listener = createServer({ cert: served.certificate, key: served.key }, (socket) => socket.end());
    listeners.push(listener);
    listener.on("tlsClientError", () => undefined);
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const answers = [];
    for (const servername of ["localhost", ""]) {
      const client = connect({ host: "127.0.0.1", port, ca: certificatesIn(trusted).slice(), servername });
      answers.push(
        await once(client, "secureConnect").then(
          () => client.authorized,
          () => false,
        ),
      );
      client.destroy();
    }
    expect(new Set(answers).size).toBe(1);
    return answers[0] === true;
  }

  it.each([
    { trusted: ["old"], served: "old", crossed: false, takes: true },
    { trusted: ["old"], served: "new", crossed: true, takes: true },
    { trusted: ["old"], served: "new", crossed: false, takes: false },
    { trusted: ["old", "new"], served: "old", crossed: false, takes: true },
    { trusted: ["old", "new"], served: "new", crossed: true, takes: true },
    { trusted: ["new", "old"], served: "new", crossed: false, takes: true },
    { trusted: ["new"], served: "new", crossed: true, takes: true },
    { trusted: ["new"], served: "old", crossed: false, takes: false },
    { trusted: ["other"], served: "new", crossed: true, takes: false },
  ] as const)(
    "of $trusted meets a server of $served (crossed: $crossed) and takes it: $takes",
    async ({ trusted, served, crossed, takes: wanted }) => {
      const authorities = { old: await authority(), new: await authority(), other: await authority() };
      const { certificate, key } = await issueServer(names, authorities[served], today, randomBytes);
      const cross = await crossSign(authorities.new.certificate, authorities.old, today, randomBytes);
      const chain = certificate + (crossed ? (cross ?? "") : "");
      const bundle = trusted.map((name) => authorities[name].certificate).join("");
      expect(await takes(bundle, { certificate: chain, key })).toBe(wanted);
      // The judge of the tests that span years comes to the same verdict.
      expect(isTrusted(chain, bundle, today)).toBe(wanted);
    },
  );

  it("has no use for a cross certificate of an authority that may sign none", async () => {
    const old = await authorityForServersOnly(today);
    expect(await crossSign((await authority()).certificate, old, today, randomBytes)).toBeUndefined();
  });
});
