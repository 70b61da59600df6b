import { maxTrustLists, trustConfigMap, trustListCount, trustListName } from "../../common/contract/trust.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { ConfigMapKind, SecretKind, ServiceKind } from "../api/kubernetes.ts";
import { ownedMeta } from "../resources/names.ts";
import { encode } from "../resources/secret-data.ts";
import { awaitChange, requeueAfter } from "../runtime/action.ts";
import { FakeCluster } from "../runtime/testing/fake-cluster.ts";
import { faulty } from "../runtime/testing/faulty.ts";
import { seconds } from "../../common/clock.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { nodeTrustController } from "./nodetrust.ts";

const kib = 1024;

/** Registries as the other controller leaves them, with authorities of any size. */
class World {
  readonly clock = new ManualClock();
  readonly cluster = new FakeCluster(this.clock);
  readonly keys = new Set<string>();
  /** After each write of a list: what no agent could have seen, though its registry was there all along. */
  readonly unseen: string[] = [];
  private readonly spec = nodeTrustController({
    client: faulty(this.cluster, {
      apply: async (kind, object) => {
        const applied = await this.cluster.apply(kind, object);
        await this.look();
        return applied;
      },
    }),
    watcher: this.cluster,
    namespace: "operator",
    nodeTrustHosts: [],
  } as unknown as ControllerDependencies);

  put(count: number, size: number): void {
    for (let n = 0; n < count; n++) {
      const name = `registry-${String(n)}`;
      const { apiVersion, kind } = ConnectedRegistryKind;
      const metadata = { name, namespace: "edge" };
      const tls = { source: "Generated" };
      const spec = { service: { type: "ClusterIP" }, tls, trustDistribution: { enabled: true } };
      const made = { apiVersion, kind, metadata, spec } as unknown as ConnectedRegistry;
      const registry = this.cluster.put(ConnectedRegistryKind, made);
      this.cluster.put(ServiceKind, {
        apiVersion: "v1",
        kind: "Service",
        metadata: ownedMeta(registry, name),
        spec: { clusterIP: "10.96.0.10" },
      });
      this.cluster.put(SecretKind, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: ownedMeta(registry, `${name}-tls`),
        data: {
          "tls.crt": encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
          "tls.key": encode("key"),
          "ca.crt": encode("x".repeat(size)),
        },
      });
    }
  }

  /** @returns the lists that were written */
  async reconcile(): Promise<readonly string[]> {
    const before = this.cluster.writes.length;
    this.action = await this.spec.reconciler.reconcile(
      { namespace: "operator", name: trustConfigMap },
      { log: silentLog, clock: this.clock, signal: new AbortController().signal },
    );
    for (const key of await this.seen()) this.keys.add(key);
    return this.cluster.writes.slice(before).map((write) => write.split("/").at(-1) ?? "");
  }

  action: unknown;

  /** What an agent makes of the lists. */
  async seen(): Promise<readonly string[]> {
    const list = (at: number) =>
      this.cluster.get(ConfigMapKind, { namespace: "operator", name: trustListName(trustConfigMap, at) });
    const count = trustListCount((await list(0))?.metadata.annotations);
    const lists = await Promise.all(Array.from({ length: count }, (_, at) => list(at)));
    return lists.flatMap((one) => Object.keys(one?.data ?? {}));
  }

  private async look(): Promise<void> {
    const seen = new Set(await this.seen());
    this.unseen.push(...[...this.keys].filter((key) => !seen.has(key)));
  }
}

describe("the lists of node trust", () => {
  it("are as many as it takes, and a change of one registry writes one of them", async () => {
    const world = new World();
    world.put(20, 60 * kib);
    expect(await world.reconcile()).toHaveLength(3);
    expect(new Set(await world.seen()).size).toBe(20);
    expect(world.action).toEqual(awaitChange);
    expect(await world.reconcile()).toEqual([]);
    world.put(1, 61 * kib);
    expect(await world.reconcile()).toHaveLength(1);
    world.put(21, 61 * kib);
    await world.reconcile();
    expect(new Set(await world.seen()).size).toBe(21);
    expect(world.unseen).toEqual([]);
  });

  it("never lack a registry at any moment, whatever moves between them", async () => {
    const world = new World();
    world.put(20, 60 * kib);
    await world.reconcile();
    world.put(20, 250 * kib);
    expect((await world.reconcile()).length).toBeGreaterThan(3);
    expect(new Set(await world.seen()).size).toBe(20);
    expect(world.unseen).toEqual([]);
  });

  it("are looked at again when they are full, and say so of the others", async () => {
    const world = new World();
    world.put(maxTrustLists + 2, 500 * kib);
    expect(await world.reconcile()).toHaveLength(maxTrustLists);
    expect(await world.seen()).toHaveLength(maxTrustLists);
    expect(world.action).toEqual(requeueAfter(seconds(60)));
  });

  it("are looked at again when one of them is somebody else's, instead of failing for ever", async () => {
    const world = new World();
    world.cluster.put(ConfigMapKind, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: trustConfigMap, namespace: "operator", labels: { mine: "yes" } },
    });
    world.put(1, kib);
    expect(await world.reconcile()).toEqual([]);
    expect(world.action).toEqual(requeueAfter(seconds(60)));
  });
});
