import { randomBytes } from "node:crypto";
import { systemClock } from "../../common/clock.ts";
import { samples } from "../../crds/testing/samples.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { DeploymentKind, SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { issueCa, issueServer, type Certificate } from "../resources/certificates.ts";
import { encode, valueOf } from "../resources/secret-data.ts";
import { expectSound } from "../status/sound.ts";
import { startRealOperator, type RealOperator } from "./testing/real-operator.ts";

const edge = { namespace: "edge", name: "contoso-edge" };
const host = "contoso-edge.edge.svc.cluster.local";
const sample = samples.find(({ kind }) => kind === "ConnectedRegistry") as ConnectedRegistry;
const now = systemClock.now();
const ca = await issueCa("Contoso", now, randomBytes);
const [first, second] = [
  await issueServer([host], ca, now, randomBytes),
  await issueServer([host], ca, now, randomBytes),
];

let operator: RealOperator;

beforeAll(async () => {
  operator = await startRealOperator();
  await operator.namespace("edge");
}, 120_000);
afterAll(() => operator.stop());

async function apply(tls: ConnectedRegistry["spec"]["tls"]): Promise<void> {
  // A root: whether it has a parent is no matter here.
  const { mode, storage, service } = sample.spec;
  await operator.user.apply(ConnectedRegistryKind, {
    ...sample,
    spec: { mode, storage, service, tls } as ConnectedRegistry["spec"],
  });
}

async function put({ certificate, key }: Certificate): Promise<void> {
  const data = { "tls.crt": certificate, "tls.key": key, "ca.crt": ca.certificate };
  await operator.user.apply(SecretKind, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "edge-certificate", namespace: "edge" },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(Object.entries(data).map(([name, text]) => [name, encode(text)])),
  });
}

async function tlsSays(reason: string): Promise<string> {
  return eventually(reason, 20_000, async () => {
    const { status } = (await operator.user.get(ConnectedRegistryKind, edge)) ?? {};
    const found = status?.conditions?.find(({ type }) => type === "TLSReady");
    if (found?.reason !== reason) throw new Error(JSON.stringify(found));
    expectSound(status);
    return found.message;
  });
}

async function keyOfSecret(name: string, key: string): Promise<string> {
  const secret = await operator.user.get(SecretKind, { namespace: "edge", name });
  return secret === undefined ? "" : (valueOf(secret, key) ?? "");
}

async function serves({ certificate }: Certificate, within: number): Promise<void> {
  await eventually("the certificate", within, async () =>
    (await keyOfSecret("contoso-edge-tls", "tls.crt")) === certificate ? true : undefined,
  );
}

async function args(): Promise<string> {
  return JSON.stringify((await operator.user.get(DeploymentKind, edge))?.spec ?? {});
}

/** In order: each begins with what the one before it left. */
describe("on a real API server, the certificate", () => {
  it("is waited for, and served from the operator's own Secret once it is there", async () => {
    await apply({ source: "Secret", secretRef: { name: "edge-certificate" } });
    expect(await tlsSays("CertificateSecretNotFound")).toContain('no Secret "edge-certificate"');
    expect(await operator.user.get(DeploymentKind, edge)).toBeUndefined();
    await put(first);
    await tlsSays("CertificateAccepted");
    await serves(first, 5000);
    await eventually("the pod", 10_000, async () =>
      (await args()).includes("--tls-cert") ? true : undefined,
    );
    expect(await args()).toContain('"secretName":"contoso-edge-tls"');
  });

  it("follows its Secret within five seconds, and stays as it is while that is spoiled", async () => {
    await put(second);
    await serves(second, 5000);
    await put({ certificate: first.certificate, key: second.key });
    expect(await tlsSays("CertificateInvalid")).toContain("that of another certificate");
    await serves(second, 100);
    await put(first);
    await serves(first, 5000);
    await tlsSays("CertificateAccepted");
  });

  it("comes from the spec itself", async () => {
    const { certificate, key } = second;
    await apply({ source: "Inline", inline: { certificate, key, caCertificate: ca.certificate } });
    await serves(second, 5000);
    expect(await tlsSays("CertificateAccepted")).toContain("spec.tls.inline");
  });

  it("gives way to none, on port 80, and to one of the registry's own", async () => {
    await apply({ source: "Disabled" });
    await tlsSays("TLSDisabled");
    const ports = async (): Promise<unknown> => (await operator.user.get(ServiceKind, edge))?.spec.ports;
    await eventually("port 80", 10_000, async () => ((await args()).includes('"--http"') ? true : undefined));
    expect(await ports()).toMatchObject([{ name: "http", port: 80, targetPort: "http" }]);
    expect(await args()).not.toContain("contoso-edge-tls");

    await apply({ source: "Generated" });
    await tlsSays("CertificateIssued");
    await eventually("a pod with a certificate", 10_000, async () =>
      (await args()).includes("--tls-cert") ? true : undefined,
    );
    expect(await ports()).toMatchObject([{ name: "https", port: 443, targetPort: "https" }]);
    // Nodes are told of the new authority before anything that it signed is served.
    expect(await keyOfSecret("contoso-edge-tls", "ca.crt")).toContain(
      await keyOfSecret("contoso-edge-ca", "tls.crt"),
    );
    await serves(second, 100);
  });

  it("stays while its authority is lost, which leaves nothing behind once another signs", async () => {
    await eventually("the generated one", 90_000, async () =>
      (await keyOfSecret("contoso-edge-tls", "tls.crt")) === second.certificate ? undefined : true,
    );
    const served = await keyOfSecret("contoso-edge-tls", "tls.crt");
    const lost = await keyOfSecret("contoso-edge-ca", "tls.crt");
    await operator.user.delete(SecretKind, { namespace: "edge", name: "contoso-edge-ca" });
    await eventually("the next authority", 10_000, async () =>
      (await keyOfSecret("contoso-edge-ca", "next-announced")) === "" ? undefined : true,
    );
    expect(await keyOfSecret("contoso-edge-tls", "tls.crt")).toBe(served);
    const next = await keyOfSecret("contoso-edge-ca", "next.crt");
    expect(await keyOfSecret("contoso-edge-tls", "ca.crt")).toContain(lost + next);

    // Something has to be signed: the next one takes over.
    const spoiled = await operator.user.get(SecretKind, { namespace: "edge", name: "contoso-edge-tls" });
    await operator.user.apply(SecretKind, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "contoso-edge-tls", namespace: "edge" },
      type: "kubernetes.io/tls",
      data: { ...spoiled?.data, "tls.key": encode("x") },
    });
    await eventually("another authority", 10_000, async () =>
      (await keyOfSecret("contoso-edge-ca", "tls.crt")) === next ? true : undefined,
    );
    expect(await keyOfSecret("contoso-edge-ca", "next.crt")).toBe("");
    expect(await keyOfSecret("contoso-edge-ca", "next.key")).toBe("");
    expect(await keyOfSecret("contoso-edge-ca", "tls.key")).toContain("PRIVATE KEY");
  }, 150_000);
});
