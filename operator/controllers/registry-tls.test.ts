import { randomBytes } from "node:crypto";
import { DateTime, Duration } from "luxon";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { SecretKind } from "../api/kubernetes.ts";
import { certificatesIn, isGood } from "../resources/certificate-facts.ts";
import { encode, valueOf } from "../resources/secret-data.ts";
import { isTrusted } from "../resources/chain.ts";
import type { KubeClient } from "../runtime/kube.ts";
import { FakeCluster } from "../runtime/testing/fake-cluster.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import type { Finding } from "../status/summarize.ts";
import { ensureEncryption } from "./registry-tls.ts";
import { edge, Rig } from "./testing/rig.ts";

const hours = (n: number): Duration => Duration.fromObject({ hours: n });
const years = (n: number): Duration => Duration.fromObject({ years: n });
const day = hours(24).toMillis();
const start = "2026-11-21T08:00:00Z";
const registry = await Rig.withSamples().then((rig) => rig.registry());

/** What was told to clients, and served, from a time on. */
interface Published {
  readonly at: number;
  readonly bundle: string;
  readonly chain: string;
}

/** One registry, the Secrets of its certificates, and all that they ever were. */
class World {
  readonly clock = new ManualClock(start);
  readonly cluster = new FakeCluster(this.clock);
  readonly history: Published[] = [];
  readonly client: KubeClient;
  address = "10.96.0.10";
  /** Whether an authority was lost: then nobody is helped who did not hear of the next one in time. */
  lost = false;
  /** When the operator wants to look again. */
  private due = this.clock.now();

  constructor(client: (cluster: FakeCluster) => KubeClient = (cluster) => cluster) {
    this.client = client(this.cluster);
  }

  get last(): Published {
    return this.history.at(-1)!;
  }

  async text(name: string, key: string): Promise<string> {
    const secret = await this.cluster.get(SecretKind, { namespace: edge.namespace, name });
    return secret === undefined ? "" : (valueOf(secret, key) ?? "");
  }

  /** Looks once, as the operator does; what it throws is met by looking again, another time. */
  async look(): Promise<void> {
    const now = this.clock.now();
    const tools = { client: this.client, randomBytes, now };
    try {
      const findings: Finding[] = [];
      const hosts = ["contoso-edge.edge.svc.cluster.local", this.address];
      const encryption = await ensureEncryption(tools, registry, hosts, findings);
      expect(findings).toMatchObject([{ kind: "fine", reason: "CertificateIssued" }]);
      if (encryption?.kind === "certificate") this.due = encryption.change ?? now;
    } catch (error) {
      if ((error as Error).message !== "crash") throw error;
      this.due = now;
    }
    const [bundle, chain] = [
      await this.text("contoso-edge-tls", "ca.crt"),
      await this.text("contoso-edge-tls", "tls.crt"),
    ];
    const last = this.history.at(-1);
    if (chain !== "" && (last?.bundle !== bundle || last.chain !== chain)) {
      this.history.push({ at: now.toMillis(), bundle, chain });
    }
  }

  /** Lets time pass, in steps that are short while something changes. */
  async pass(time: Duration): Promise<void> {
    const end = this.clock.now().plus(time);
    while (this.clock.now() < end) {
      const now = this.clock.now();
      const calm = now.toMillis() - this.last.at > 3 * day;
      const [soon, later] = [now.plus(hours(6)), now.plus({ days: 5 })];
      const next = calm ? DateTime.max(soon, DateTime.min(later, this.due)) : soon;
      this.clock.set(next.toISO());
      await this.look();
      this.expectTrust();
    }
  }

  /**
   * Whoever heard of the authorities in the last day takes what is served, and what was a moment ago; and so does
   * whoever has not for years, as long as the authority that signed then is good.
   */
  expectTrust(): void {
    const now = this.clock.now();
    if (this.history.length === 0) return;
    const { bundle, chain, at } = this.last;
    expect(isGood(chain, now)).toBe(true);
    expect(isTrusted(chain, bundle, now)).toBe(true);
    if (at !== now.toMillis()) return;
    const before = this.history.at(-2);
    if (before !== undefined) expect(isTrusted(before.chain, bundle, now)).toBe(true);
    const signers = this.history.map((one) => certificatesIn(one.bundle)[0] ?? "");
    for (const [index, signer] of signers.entries()) {
      const heard = now.toMillis() - (this.history[index + 1]?.at ?? 0) <= day;
      if (isGood(signer, now) && (heard || !this.lost)) {
        expect(isTrusted(chain, this.history[index]!.bundle, now)).toBe(true);
      }
    }
  }
}

/** Every write fails the first time: before it takes effect, and, of the others, after it. */
function crashing(cluster: FakeCluster): KubeClient {
  let count = 0;
  const crash = async <T>(write: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count % 4 === 1) throw new Error("crash");
    const result = await write();
    if (count % 4 === 3) throw new Error("crash");
    return result;
  };
  return faulty(cluster, {
    apply: (kind, object) => crash(() => cluster.apply(kind, object)),
    create: (kind, object) => crash(() => cluster.create(kind, object)),
  });
}

describe("the certificates of a registry", () => {
  it.each([
    { because: "all goes well", client: (cluster: FakeCluster): KubeClient => cluster },
    { because: "the operator dies at every other write", client: crashing },
  ])(
    "are trusted at every moment of 25 years, if $because (T93)",
    async ({ client }) => {
      const world = new World(client);
      for (let tries = 0; tries < 6; tries++) await world.look();
      await world.pass(years(25));
      const signers = new Set(world.history.map(({ bundle }) => certificatesIn(bundle)[0]));
      expect(signers.size).toBe(4);
      const servers = new Set(world.history.map(({ chain }) => certificatesIn(chain)[0]));
      // Three in two years, and one more whenever the authority changes.
      expect(servers.size).toBeGreaterThanOrEqual(37);
      expect(servers.size).toBeLessThanOrEqual(44);
    },
    120_000,
  );

  it("come from the new authority a day after it was told of, and not before", async () => {
    const world = new World();
    await world.look();
    const [first] = certificatesIn(world.last.bundle);
    world.clock.set("2033-07-23T00:00:00Z");
    await world.look();
    const [signer, next] = certificatesIn(world.last.bundle);
    expect(signer).toBe(first);
    expect(next).toBeDefined();
    expect(await world.text("contoso-edge-ca", "next-announced")).toBe("");
    await world.look();
    expect(await world.text("contoso-edge-ca", "next-announced")).toBe("2033-07-23T00:00:00Z");
    await world.pass(hours(18));
    expect(certificatesIn(world.last.bundle)).toEqual([first, next]);
    await world.pass(hours(6));
    expect(certificatesIn(world.last.bundle)).toEqual([next, first]);
    // The key that signed for seven years is not kept.
    const { data = {} } = (await world.cluster.get(SecretKind, { ...edge, name: "contoso-edge-ca" })) ?? {};
    const kept = Object.keys(data).filter((key) => data[key] !== "");
    expect(kept.sort()).toEqual(["cross.crt", "previous-until", "previous.crt", "tls.crt", "tls.key"]);
  });

  it("stay while their authority is lost, and come from another a day later", async () => {
    const world = new World();
    await world.look();
    const { chain, bundle } = world.last;
    await world.cluster.delete(SecretKind, { ...edge, name: "contoso-edge-ca" });
    await world.look();
    expect(world.last.chain).toBe(chain);
    expect(certificatesIn(world.last.bundle)).toHaveLength(2);
    world.lost = true;
    await world.pass(hours(36));
    expect(world.last.chain).not.toBe(chain);
    expect(certificatesIn(world.last.bundle)[1]).toBe(bundle);
    // Once nothing that it signed is about, it is told of no more.
    await world.pass(years(1.1));
    expect(world.last.bundle).not.toContain(bundle);
  });

  it.each([
    {
      because: "the address is another",
      change: (world: World): Promise<void> => {
        world.address = "10.96.0.11";
        return Promise.resolve();
      },
    },
    {
      because: "the key is spoiled, too",
      change: async (world: World): Promise<void> => {
        const secret = await world.cluster.get(SecretKind, { ...edge, name: "contoso-edge-tls" });
        world.cluster.put(SecretKind, { ...secret!, data: { ...secret!.data, "tls.key": encode("x") } });
      },
    },
  ])("come from another in a minute, if their authority is lost and $because", async ({ change }) => {
    const world = new World();
    await world.look();
    const { chain } = world.last;
    await world.cluster.delete(SecretKind, { ...edge, name: "contoso-edge-ca" });
    await change(world);
    await world.look();
    await world.clock.advance(Duration.fromObject({ minutes: 1 }));
    await world.look();
    expect(world.last.chain).not.toBe(chain);
    expect(isTrusted(world.last.chain, world.last.bundle, world.clock.now())).toBe(true);
  });

  it.each([
    { because: "forward, by more than an authority lasts, and back", times: ["2060-01-01T00:00:00Z", start] },
    { because: "back, to before they were made", times: ["2020-01-01T00:00:00Z"] },
    {
      because: "forward while a new authority is told of, and back",
      times: ["2033-07-23T00:00:00Z", "2035-01-01T00:00:00Z", "2033-07-23T00:00:00Z"],
    },
  ])("are good whatever the clock is set to: $because", async ({ times }) => {
    const world = new World();
    await world.look();
    for (const time of times) {
      world.clock.set(time);
      for (let looks = 0; looks < 3; looks++) await world.look();
      expect(isTrusted(world.last.chain, world.last.bundle, world.clock.now())).toBe(true);
    }
    // What was told at a time that never was counts no more.
    world.history.splice(0, world.history.length - 1);
    await world.pass(years(1));
  });

  it("are not written again while nothing is due", async () => {
    const world = new World();
    await world.look();
    const writes = world.cluster.writes.length;
    await world.pass(Duration.fromObject({ days: 240 }));
    expect(world.cluster.writes).toHaveLength(writes);
  });
});
