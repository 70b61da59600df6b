import { randomBytes, X509Certificate } from "node:crypto";
import { createServer, connect } from "node:tls";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { isFor, issueCa, issueServer, renewalTime } from "./certificates.ts";

const now = new ManualClock("2026-11-21T08:00:00Z").now();
const hosts = ["contoso-edge.edge.svc.cluster.local", "contoso-edge", "10.96.0.10", "fd00::10"];
const ca = await issueCa("contoso-edge", now, randomBytes);
const server = await issueServer(hosts, ca, now, randomBytes);

describe("certificates", () => {
  it("last ten years and one, and are renewed after two thirds of that", () => {
    expect(new X509Certificate(ca.certificate).validToDate.toISOString()).toBe("2036-11-21T08:00:00.000Z");
    expect(new X509Certificate(server.certificate).validToDate.toISOString()).toBe(
      "2027-11-21T08:00:00.000Z",
    );
    expect(renewalTime(server)?.toISODate()).toBe("2027-07-22");
    expect(renewalTime(ca)?.toISODate()).toBe("2033-07-22");
  });

  it("come from an authority that may sign servers and nothing else", () => {
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
    expect(isFor(server, ca, wanted)).toBe(fits);
  });

  it("are not for another authority of the same name", async () => {
    const other = await issueCa("contoso-edge", now, randomBytes);
    expect(isFor(server, other, hosts)).toBe(false);
  });

  it("count as unusable when somebody spoiled them", () => {
    expect(renewalTime({ ...server, key: ca.key })).toBeUndefined();
    expect(renewalTime({ ...server, certificate: "x" })).toBeUndefined();
    expect(isFor({ ...server, certificate: "x" }, ca, hosts)).toBe(false);
  });

  it("are taken by a client that trusts the authority, under a name and under an address", async () => {
    const fresh = await issueServer(["localhost", "127.0.0.1"], ca, now, randomBytes);
    const listener = createServer({ cert: fresh.certificate, key: fresh.key }, (socket) => socket.end());
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    for (const servername of ["localhost", ""]) {
      const client = connect({ host: "127.0.0.1", port, ca: ca.certificate, servername });
      await once(client, "secureConnect");
      expect(client.authorized).toBe(true);
      client.destroy();
    }
    listener.close();
  });
});
