import { ConflictError, type Kind, type KubeClient, type KubeObject, type KubeWatcher } from "./kube.ts";

/** The kind the suite works on: a custom resource with a status; `spec` and `status` hold any fields. */
export interface Widget extends KubeObject {
  readonly apiVersion: "conformance.connectedregistry.io/v1";
  readonly kind: "Widget";
  readonly spec?: { readonly size?: number; readonly [field: string]: unknown };
  readonly status?: { readonly phase?: string; readonly [field: string]: unknown };
}

export const WidgetKind: Kind<Widget> = {
  apiVersion: "conformance.connectedregistry.io/v1",
  kind: "Widget",
  plural: "widgets",
  namespaced: true,
};

export interface ConformanceCluster {
  /** Two namespaces of this test alone. */
  readonly namespaces: readonly [string, string];
  /** Writes as the field manager `manager`. */
  as(manager: string): KubeClient;
  readonly watcher: KubeWatcher;
  /** Begins to follow what was asked of `watcher`. */
  start(): void;
}

/** What everything that calls itself a `KubeClient` and a `KubeWatcher` promises. */
export function describeKubeClient(name: string, make: () => Promise<ConformanceCluster>): void {
  describe(`${name} as a KubeClient`, () => {
    let cluster: ConformanceCluster;
    let client: KubeClient;
    const widget = (spec: Widget["spec"], metadata: Partial<Widget["metadata"]> = {}): Widget => ({
      apiVersion: WidgetKind.apiVersion,
      kind: WidgetKind.kind,
      metadata: { name: "a", namespace: cluster.namespaces[0], ...metadata },
      ...(spec === undefined ? {} : { spec }),
    });
    const key = (): { namespace: string; name: string } => ({ namespace: cluster.namespaces[0], name: "a" });
    const read = async (): Promise<Widget> => (await client.get(WidgetKind, key()))!;

    beforeEach(async () => {
      cluster = await make();
      client = cluster.as("operator");
    });

    describe("reading", () => {
      it("answers undefined for an object that is not there", async () => {
        await expect(client.get(WidgetKind, key())).resolves.toBeUndefined();
      });

      it("lists one namespace, or all", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        await client.apply(WidgetKind, widget({ size: 2 }, { namespace: cluster.namespaces[1] }));
        const names = async (namespace?: string): Promise<readonly string[]> =>
          (await client.list(WidgetKind, namespace))
            .map(({ metadata }) => metadata.namespace!)
            .filter((found) => cluster.namespaces.includes(found))
            .sort();
        await expect(names(cluster.namespaces[0])).resolves.toEqual([cluster.namespaces[0]]);
        await expect(names()).resolves.toEqual([...cluster.namespaces].sort());
      });

      it("gives every object its apiVersion and kind, and nobody's managed fields", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        const [listed] = await client.list(WidgetKind, cluster.namespaces[0]);
        expect(listed).toMatchObject({ apiVersion: WidgetKind.apiVersion, kind: WidgetKind.kind });
        expect(listed!.metadata).not.toHaveProperty("managedFields");
        expect((await read()).metadata).not.toHaveProperty("managedFields");
      });
    });

    describe("applying", () => {
      it("makes what is not there, numbered and dated", async () => {
        const made = await client.apply(WidgetKind, widget({ size: 1 }, { labels: { color: "red" } }));
        expect(made).toMatchObject({
          spec: { size: 1 },
          metadata: { labels: { color: "red" }, generation: 1 },
        });
        expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
        expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        await expect(read()).resolves.toEqual(made);
      });

      it("writes nothing when nothing changed", async () => {
        const first = await client.apply(WidgetKind, widget({ size: 1, list: [{ a: 1 }] }));
        const again = await client.apply(WidgetKind, widget({ size: 1, list: [{ a: 1 }] }));
        expect(again).toEqual(first);
      });

      it("removes what we applied before and no longer do", async () => {
        await client.apply(
          WidgetKind,
          widget({ size: 1, inner: { a: 1, b: 2 } }, { labels: { x: "1", y: "2" } }),
        );
        const now = await client.apply(WidgetKind, widget({ inner: { b: 2 } }, { labels: { y: "2" } }));
        expect(now.spec).toEqual({ inner: { b: 2 } });
        expect(now.metadata.labels).toEqual({ y: "2" });
      });

      it("leaves alone what others applied", async () => {
        await cluster.as("other").apply(WidgetKind, widget({ theirs: 1 }, { annotations: { "a/b": "c" } }));
        await client.apply(WidgetKind, widget({ ours: 1 }));
        const now = await client.apply(WidgetKind, widget({ ours: 2 }));
        expect(now.spec).toEqual({ theirs: 1, ours: 2 });
        expect(now.metadata.annotations).toEqual({ "a/b": "c" });
      });

      it("takes over a field that another manager set differently, for good", async () => {
        await cluster.as("other").apply(WidgetKind, widget({ size: 1, theirs: 1 }));
        await expect(client.apply(WidgetKind, widget({ size: 2 }))).resolves.toMatchObject({
          spec: { size: 2 },
        });
        const now = await cluster.as("other").apply(WidgetKind, widget({ theirs: 1 }));
        expect(now.spec).toEqual({ size: 2, theirs: 1 });
      });

      it("keeps a field that two managers own until both let it go", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        await cluster.as("other").apply(WidgetKind, widget({ size: 1, theirs: 1 }));
        await expect(client.apply(WidgetKind, widget({ ours: 1 }))).resolves.toMatchObject({
          spec: { size: 1 },
        });
        const now = await cluster.as("other").apply(WidgetKind, widget({ theirs: 1 }));
        expect(now.spec).toEqual({ ours: 1, theirs: 1 });
      });

      it("counts a generation for a change of the spec, not of metadata or status", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        const labelled = await client.apply(WidgetKind, widget({ size: 1 }, { labels: { x: "1" } }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        expect([labelled.metadata.generation, (await read()).metadata.generation]).toEqual([1, 1]);
        const resized = await client.apply(WidgetKind, widget({ size: 2 }, { labels: { x: "1" } }));
        expect(resized.metadata.generation).toBe(2);
      });

      it("refuses a resource version that is no longer the object's", async () => {
        const first = await client.apply(WidgetKind, widget({ size: 1 }));
        const { resourceVersion } = first.metadata;
        await client.apply(WidgetKind, widget({ size: 2 }, { resourceVersion: resourceVersion! }));
        await expect(
          client.apply(WidgetKind, widget({ size: 3 }, { resourceVersion: resourceVersion! })),
        ).rejects.toBeInstanceOf(ConflictError);
        await expect(read()).resolves.toMatchObject({ spec: { size: 2 } });
      });
    });

    describe("applying a status", () => {
      it("changes the status alone", async () => {
        const made = await client.apply(WidgetKind, widget({ size: 1 }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine", parts: { a: 1 } });
        const now = await read();
        expect(now).toEqual({
          ...made,
          metadata: { ...made.metadata, resourceVersion: now.metadata.resourceVersion },
          status: { phase: "Fine", parts: { a: 1 } },
        });
      });

      it("writes nothing when nothing changed", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        const before = await read();
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        await expect(read()).resolves.toEqual(before);
      });

      it("shares a status between managers, each giving up only what is its own", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine", state: "Offline" });
        await cluster.as("pod").applyStatus(WidgetKind, key(), { state: "Online", version: "1" });
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        expect((await read()).status).toEqual({ phase: "Fine", state: "Online", version: "1" });
        await client.applyStatus(WidgetKind, key(), { phase: "Bad", state: "Offline" });
        expect((await read()).status).toEqual({ phase: "Bad", state: "Offline", version: "1" });
      });

      it("survives an apply of the object by the same manager", async () => {
        await client.apply(WidgetKind, widget({ size: 1 }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        await client.apply(WidgetKind, widget({ size: 2 }));
        expect((await read()).status).toEqual({ phase: "Fine" });
      });

      it("applies a status only to the version that was named", async () => {
        const { metadata } = await client.apply(WidgetKind, widget({ size: 1 }));
        await cluster.as("pod").applyStatus(WidgetKind, key(), { state: "Online" });
        const stale = client.applyStatus(WidgetKind, key(), { state: "Offline" }, metadata.resourceVersion);
        await expect(stale).rejects.toBeInstanceOf(ConflictError);
        const { resourceVersion } = (await read()).metadata;
        await client.applyStatus(WidgetKind, key(), { state: "Offline" }, resourceVersion);
        await expect(read()).resolves.toMatchObject({ status: { state: "Offline" } });
      });

      it("says that the object is gone as a conflict, so that nobody makes a noise about it", async () => {
        await expect(client.applyStatus(WidgetKind, key(), { phase: "Fine" })).rejects.toBeInstanceOf(
          ConflictError,
        );
      });
    });

    describe("creating", () => {
      it("answers what it made, and leaves alone what is there", async () => {
        await expect(client.create(WidgetKind, widget({ size: 1 }))).resolves.toMatchObject({
          spec: { size: 1 },
        });
        await expect(client.create(WidgetKind, widget({ size: 2 }))).resolves.toBeUndefined();
        await expect(read()).resolves.toMatchObject({ spec: { size: 1 } });
      });
    });

    describe("deleting", () => {
      it("is content if there is nothing", async () => {
        await expect(client.delete(WidgetKind, key())).resolves.toBeUndefined();
      });

      it("deletes only the object that was meant", async () => {
        const made = await client.apply(WidgetKind, widget({ size: 1 }));
        await client.delete(WidgetKind, key(), "11111111-2222-4333-8444-555555555555");
        await expect(read()).resolves.toEqual(made);
        await client.delete(WidgetKind, key(), made.metadata.uid);
        await expect(client.get(WidgetKind, key())).resolves.toBeUndefined();
      });

      it("waits for finalizers, whoever has come to own them", async () => {
        const [ours, theirs] = ["conformance.connectedregistry.io/x", "conformance.connectedregistry.io/y"];
        const made = await client.apply(WidgetKind, widget({ size: 1 }));
        await client.setFinalizers(WidgetKind, key(), [ours, theirs], made.metadata.resourceVersion!);
        // As who puts an object back from a backup, with all that was in it.
        const held = await cluster
          .as("backup")
          .apply(WidgetKind, widget({ size: 1 }, { finalizers: [ours, theirs] }));
        expect(held).toMatchObject({ spec: { size: 1 }, metadata: { generation: 1 } });
        await client.delete(WidgetKind, key());
        const going = await read();
        expect(going.metadata.deletionTimestamp).toMatch(/Z$/);
        expect(going.metadata.generation).toBe(2);
        await client.setFinalizers(WidgetKind, key(), [theirs], going.metadata.resourceVersion!);
        const now = await read();
        expect(now.metadata.finalizers).toEqual([theirs]);
        const { resourceVersion } = now.metadata;
        const more = client.setFinalizers(WidgetKind, key(), [ours, theirs], resourceVersion!);
        await expect(more).rejects.toMatchObject({ name: "RejectedError", status: 422 });
        await client.setFinalizers(WidgetKind, key(), [], resourceVersion!);
        await expect(client.get(WidgetKind, key())).resolves.toBeUndefined();
      });

      it("changes finalizers only of the version that was named, and of nothing that is gone", async () => {
        const { metadata } = await client.apply(WidgetKind, widget({ size: 1 }));
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        const finalizers = ["conformance.connectedregistry.io/x"];
        const stale = client.setFinalizers(WidgetKind, key(), finalizers, metadata.resourceVersion!);
        await expect(stale).rejects.toBeInstanceOf(ConflictError);
        const { resourceVersion } = (await read()).metadata;
        await client.delete(WidgetKind, key());
        const gone = client.setFinalizers(WidgetKind, key(), finalizers, resourceVersion!);
        await expect(gone).rejects.toBeInstanceOf(ConflictError);
      });

      it("waits for finalizers that were applied", async () => {
        await client.apply(
          WidgetKind,
          widget({ size: 1 }, { finalizers: ["conformance.connectedregistry.io/x"] }),
        );
        await client.delete(WidgetKind, key());
        expect((await read()).metadata.deletionTimestamp).toMatch(/Z$/);
        await client.apply(WidgetKind, widget({ size: 1 }));
        await expect(client.get(WidgetKind, key())).resolves.toBeUndefined();
      });
    });

    describe("watching", () => {
      it("shows what is there, then each change as before and after", async () => {
        const seen = new Recorder();
        await client.apply(WidgetKind, widget({ size: 1 }));
        cluster.watcher.watch(WidgetKind, seen.of(cluster.namespaces[0]));
        cluster.start();
        await seen.count(1);
        await client.apply(WidgetKind, widget({ size: 2 }));
        await seen.count(2);
        await client.applyStatus(WidgetKind, key(), { phase: "Fine" });
        await seen.count(3);
        await client.delete(WidgetKind, key());
        await seen.count(4);
        expect(seen.changes).toEqual(["- → 1", "1 → 2", "2 → 2 Fine", "2 Fine → -"]);
      });

      it("is synced once it has shown all there is", async () => {
        const seen = new Recorder();
        await client.apply(WidgetKind, widget({ size: 1 }));
        cluster.watcher.watch(WidgetKind, seen.of(cluster.namespaces[0]));
        cluster.start();
        await cluster.watcher.synced(WidgetKind);
        expect(seen.changes).toEqual(["- → 1"]);
      });

      it("finds objects by an index that follows every change", async () => {
        const seen = new Recorder();
        cluster.watcher.watch(WidgetKind, seen.of(cluster.namespaces[0]));
        const bySize = cluster.watcher.index(WidgetKind, ({ metadata, spec }) => [
          `${metadata.namespace!}/${String(spec?.size)}`,
        ]);
        const found = (size: number): readonly string[] =>
          bySize(`${cluster.namespaces[0]}/${size}`).map(({ metadata }) => metadata.name);
        cluster.start();
        await client.apply(WidgetKind, widget({ size: 1 }));
        await client.apply(WidgetKind, widget({ size: 1 }, { name: "b" }));
        await seen.count(2);
        expect([found(1), found(2)]).toEqual([["a", "b"], []]);
        await client.apply(WidgetKind, widget({ size: 2 }));
        await client.delete(WidgetKind, { ...key(), name: "b" });
        await seen.count(4);
        expect([found(1), found(2)]).toEqual([[], ["a"]]);
      });
    });
  });
}

/** What a watch showed of one namespace, as `before → after`. */
class Recorder {
  readonly changes: string[] = [];
  private waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  of(namespace: string): (before: Widget | undefined, after: Widget | undefined) => void {
    return (before, after) => {
      if ((before ?? after)?.metadata.namespace !== namespace) return;
      this.changes.push(`${describeWidget(before)} → ${describeWidget(after)}`);
      for (const { resolve } of this.waiting.filter(({ count }) => this.changes.length >= count)) resolve();
      this.waiting = this.waiting.filter(({ count }) => this.changes.length < count);
    };
  }

  async count(count: number): Promise<void> {
    if (this.changes.length >= count) return;
    await new Promise<void>((resolve) => this.waiting.push({ count, resolve }));
  }
}

function describeWidget(widget: Widget | undefined): string {
  if (widget === undefined) return "-";
  return [widget.spec?.size, widget.status?.phase].filter((part) => part !== undefined).join(" ");
}
