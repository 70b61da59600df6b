import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from "node:crypto";
import { createAuthority, createSigningKey } from "./pki.ts";

test("an issued certificate is its authority's, for the names, addresses and groups it was asked for", async () => {
  const authority = await createAuthority("test");
  const { certPem, keyPem } = await authority.issue({
    commonName: "system:node:edge",
    groups: ["system:nodes"],
    dnsNames: ["edge"],
    addresses: ["10.213.0.1"],
  });
  const certificate = new X509Certificate(certPem);
  const issuer = new X509Certificate(authority.certPem);
  expect(certificate.verify(issuer.publicKey)).toBe(true);
  expect(certificate.checkIssued(issuer)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
  expect(certificate.subject.split("\n")).toEqual(["CN=system:node:edge", "O=system:nodes"]);
  expect(certificate.checkHost("edge")).toBe("edge");
  expect(certificate.checkIP("10.213.0.1")).toBe("10.213.0.1");
  expect(certificate.ca).toBe(false);
  expect(issuer.ca).toBe(true);
});

test.each([
  { addresses: [], because: "a client's certificate is no server's", server: false },
  { addresses: ["10.0.0.1"], because: "a server is asked for by a name or an address", server: true },
])("may serve: $server, because $because", async ({ addresses, server }) => {
  const authority = await createAuthority("test");
  const { certPem } = await authority.issue({ commonName: "someone", addresses });
  const usages = new X509Certificate(certPem).keyUsage;
  expect(usages.includes("1.3.6.1.5.5.7.3.1")).toBe(server);
  expect(usages).toContain("1.3.6.1.5.5.7.3.2");
});

test("the key of service account tokens is in the form that the API server finds the public key in", () => {
  const pem = createSigningKey();
  const message = Buffer.from("token");
  expect(pem).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n/);
  expect(verify("sha256", message, createPublicKey(pem), sign("sha256", message, pem))).toBe(true);
});
