import { randomBytes } from "node:crypto";
import { Duration } from "luxon";
import { parseTrustEntry, trustConfigMap, type TrustEntry } from "../../common/contract/trust.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, DeploymentKind, SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { certificatesIn } from "../resources/certificate-facts.ts";
import { issueCa, issueServer, type Certificate } from "../resources/certificates.ts";
import { isTrusted } from "../resources/chain.ts";
import { edge, Rig } from "./testing/rig.ts";

type Tls = ConnectedRegistry["spec"]["tls"];

const minutes = (n: number): Duration => Duration.fromObject({ minutes: n });
const days = (n: number): Duration => Duration.fromObject({ days: n });
const now = new ManualClock("2026-11-21T08:00:00Z").now();
const host = "contoso-edge.edge.svc.cluster.local";
const ca = await issueCa("Contoso", now, randomBytes);
const own = await issueServer([host, "10.96.0.10"], ca, now, randomBytes);
const renewed = await issueServer([host, "10.96.0.10"], ca, now, randomBytes);
const elsewhere = await issueServer(["other.example"], ca, now, randomBytes);
const nameless = await issueServer([host], ca, now, randomBytes);
const named = await issueServer(["edge.contoso.example"], ca, now, randomBytes);
const fromSecret: Tls = { source: "Secret", secretRef: { name: "edge-certificate" } };
const inline: Tls = {
  source: "Inline",
  inline: { certificate: own.certificate, key: own.key, caCertificate: ca.certificate },
};

const parts = ({ certificate, key }: Certificate, authorities = ca.certificate): Record<string, string> => ({
  "tls.crt": certificate,
  "tls.key": key,
  ...(authorities === "" ? {} : { "ca.crt": authorities }),
});
const served = (rig: Rig): Promise<string> => rig.secret("contoso-edge-tls", "tls.crt");
const template = async (rig: Rig): Promise<string> =>
  JSON.stringify((await rig.get(DeploymentKind, edge.name)).spec);
const entry = async (rig: Rig): Promise<TrustEntry> => {
  const { data = {} } = await rig.get(ConfigMapKind, trustConfigMap, "connected-registry");
  return parseTrustEntry(JSON.parse(data["edge.contoso-edge"] ?? ""));
};
const put = async (rig: Rig, certificate: Record<string, string>): Promise<void> => {
  rig.putSecret("edge-certificate", certificate);
  await rig.settle();
};

describe("a certificate of one's own", () => {
  it.each([
    { tls: fromSecret, says: 'The certificate is that in the Secret "edge-certificate".' },
    { tls: inline, says: "The certificate is that in spec.tls.inline." },
  ])("takes the place of the generated one, and restarts nothing: $tls.source", async ({ tls, says }) => {
    const rig = await Rig.running();
    const [generated, before] = [await served(rig), await template(rig)];
    await put(rig, parts(own));
    await rig.editRegistry(() => ({ tls }));
    expect(await rig.condition("TLSReady")).toMatchObject({
      status: "True",
      reason: "CertificateAccepted",
      message: says,
    });
    // Nodes hear of who signed it before they meet it.
    expect(await served(rig)).toBe(generated);
    expect((await entry(rig)).ca).toContain(ca.certificate);
    await rig.skip(minutes(2));
    expect(await served(rig)).toBe(own.certificate);
    expect(isTrusted(generated, (await entry(rig)).ca ?? "", now)).toBe(true);
    await rig.skip(days(1.1));
    expect((await entry(rig)).ca).toBe(ca.certificate);
    expect(await template(rig)).toBe(before);

    // And back: the authority of the registry is still the same.
    await rig.editRegistry(() => ({ tls: { source: "Generated" } }));
    await rig.skip(minutes(2));
    expect(
      isTrusted(await served(rig), await rig.secret("contoso-edge-ca", "tls.crt"), rig.clock.now()),
    ).toBe(true);
    expect(certificatesIn(generated)).toHaveLength(1);
    expect(isTrusted(generated, await rig.secret("contoso-edge-ca", "tls.crt"), now)).toBe(true);
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "True", reason: "CertificateIssued" });
  });

  it("is followed when it changes, at once if the same authority signed it", async () => {
    const rig = await Rig.running();
    await put(rig, parts(own));
    await rig.editRegistry(() => ({ tls: fromSecret }));
    await rig.skip(minutes(2));
    await put(rig, parts(renewed));
    expect(await served(rig)).toBe(renewed.certificate);
  });

  it.each([
    {
      because: "it is gone",
      spoil: (rig: Rig) => rig.cluster.delete(SecretKind, { ...edge, name: "edge-certificate" }),
      reason: "CertificateSecretNotFound",
      stalled: false,
    },
    {
      because: "its key is another's",
      spoil: (rig: Rig) => put(rig, { ...parts(own), "tls.key": renewed.key }),
      reason: "CertificateInvalid",
      stalled: true,
    },
    {
      because: "it is for another name",
      spoil: (rig: Rig) => put(rig, parts(elsewhere)),
      reason: "CertificateNameMissing",
      stalled: true,
    },
    {
      because: "the login server is another",
      spoil: (rig: Rig) =>
        rig.editRegistry(({ service }) => ({ service: { ...service, loginServer: "edge.contoso.example" } })),
      reason: "CertificateNameMissing",
      stalled: true,
    },
  ])("stays in use as it last was good: $because ($reason)", async ({ spoil, reason, stalled }) => {
    const rig = await Rig.running();
    await put(rig, parts(own));
    await rig.editRegistry(() => ({ tls: fromSecret }));
    await rig.skip(minutes(2));
    await spoil(rig);
    await rig.settle();
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "False", reason });
    expect(await rig.condition("Stalled")).toMatchObject({ status: stalled ? "True" : "False" });
    expect(await served(rig)).toBe(own.certificate);
    // The rest of the spec takes effect nevertheless.
    await rig.editRegistry(() => ({ nodeSelector: { site: "hall-3" } }));
    expect(await template(rig)).toContain("hall-3");

    await rig.editRegistry(({ service }) => ({ service: { type: service.type } }));
    await put(rig, parts(own));
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "True", reason: "CertificateAccepted" });
  });

  it("is waited for by a new registry", async () => {
    const rig = await Rig.withSamples();
    await rig.editRegistry(() => ({ tls: fromSecret }));
    expect(await rig.condition("Ready")).toMatchObject({
      status: "False",
      reason: "CertificateSecretNotFound",
    });
    await expect(rig.get(DeploymentKind, edge.name)).rejects.toThrow("there is no");
    await put(rig, parts(own));
    expect(await served(rig)).toBe(own.certificate);
    expect(await template(rig)).toContain("--tls-cert");
  });

  it("is told of before it expires, and when it has", async () => {
    const rig = await Rig.running();
    await put(rig, parts(own));
    await rig.editRegistry(() => ({ tls: fromSecret }));
    await rig.skip(days(350));
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "True" });
    await rig.skip(days(2));
    expect(await rig.condition("TLSReady")).toMatchObject({
      status: "False",
      reason: "CertificateExpiring",
      message: expect.stringContaining("expires on 2027-11-21") as unknown,
    });
    expect(await rig.condition("Stalled")).toMatchObject({ status: "False" });
    await rig.skip(days(14));
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "False", reason: "CertificateExpired" });
    expect(await rig.condition("Stalled")).toMatchObject({ status: "True" });
  });

  it.each([
    {
      because: "it is for the address",
      certificate: own,
      service: {},
      server: "https://10.96.0.10",
      trust: { status: "True", reason: "TrustDistributed" },
    },
    {
      because: "it is for a name that nodes find",
      certificate: named,
      service: { loginServer: "edge.contoso.example" },
      server: "https://edge.contoso.example",
      trust: { status: "True", reason: "TrustDistributed" },
    },
    {
      because: "it is for a name that nodes do not find",
      certificate: nameless,
      service: {},
      server: "https://10.96.0.10",
      trust: { status: "False", reason: "AddressNotInCertificate" },
    },
  ])("has nodes sent to $server, since $because", async ({ certificate, service, server, trust }) => {
    const rig = await Rig.withSamples();
    await put(rig, parts(certificate));
    await rig.editRegistry((spec) => ({ tls: fromSecret, service: { ...spec.service, ...service } }));
    await rig.skip(minutes(2));
    expect(await entry(rig)).toMatchObject({ version: 1, server });
    expect(await rig.condition("NodeTrust")).toMatchObject(trust);
  });

  it("needs no CA on nodes if every system knows who signed it", async () => {
    const rig = await Rig.withSamples();
    await put(rig, parts(own, ""));
    await rig.editRegistry(() => ({ tls: fromSecret }));
    await rig.skip(minutes(2));
    await rig.skip(days(1.1));
    expect(await entry(rig)).toEqual({
      version: 2,
      hosts: [host, "contoso-edge.edge.svc", "10.96.0.10"],
      server: "https://10.96.0.10",
    });
  });
});

describe("a registry without certificates", () => {
  it("talks in the clear on port 80, and says so", async () => {
    const rig = await Rig.running();
    await rig.editRegistry(() => ({ tls: { source: "Disabled" } }));
    expect(await template(rig)).toContain('"--http"');
    expect(await template(rig)).not.toContain("contoso-edge-tls");
    expect((await rig.get(ServiceKind, edge.name)).spec.ports).toEqual([
      { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
    ]);
    expect(await entry(rig)).toEqual({
      version: 2,
      hosts: [`${host}:80`, "contoso-edge.edge.svc:80", "10.96.0.10:80"],
      server: "http://10.96.0.10:80",
    });
    expect((await rig.registry()).status?.loginServer).toEqual({
      host: `${host}:80`,
      tls: { status: "Disabled" },
    });
    expect(await rig.condition("TLSReady")).toMatchObject({ status: "False", reason: "TLSDisabled" });
    await rig.startPod("pod-1");
    expect(await rig.condition("Ready")).toMatchObject({ status: "True" });

    await rig.editRegistry(() => ({ tls: { source: "Generated" } }));
    expect(await template(rig)).toContain("--tls-cert");
    expect((await rig.registry()).status?.loginServer?.tls).toEqual({ status: "Enabled" });
  });
});
