import { describeKubeClient, WidgetKind, type Widget } from "../conformance.ts";
import { faulty } from "./faulty.ts";
import { FakeCluster } from "./fake-cluster.ts";

describeKubeClient("FakeCluster", async () => {
  const cluster = new FakeCluster();
  return {
    namespaces: ["one", "two"],
    as: (manager) => cluster.as(manager),
    watcher: cluster,
    start: () => undefined,
  };
});

describe("FakeCluster", () => {
  const widget = (name: string, metadata: Partial<Widget["metadata"]> = {}): Widget => ({
    apiVersion: WidgetKind.apiVersion,
    kind: "Widget",
    metadata: { name, namespace: "one", ...metadata },
    spec: { size: 1 },
  });
  const owned = (name: string, ...owners: readonly Widget[]): Widget =>
    widget(name, {
      ownerReferences: owners.map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
        uid: metadata.uid!,
      })),
    });

  it("collects what belonged to a deleted object, and what belonged to that", async () => {
    const cluster = new FakeCluster();
    const owner = await cluster.apply(WidgetKind, widget("owner"));
    const other = await cluster.apply(WidgetKind, widget("other"));
    const child = await cluster.apply(WidgetKind, owned("child", owner));
    await cluster.apply(WidgetKind, owned("grandchild", child));
    await cluster.apply(WidgetKind, owned("shared", owner, other));
    await cluster.delete(WidgetKind, { namespace: "one", name: "owner" });
    const left = await cluster.list(WidgetKind);
    expect(left.map(({ metadata }) => metadata.name)).toEqual(["other", "shared"]);
  });

  it("notes every call that writes", async () => {
    const cluster = new FakeCluster();
    await cluster.apply(WidgetKind, widget("a"));
    await cluster.as("pod").applyStatus(WidgetKind, { namespace: "one", name: "a" }, { phase: "Fine" });
    const widgets = "conformance.connectedregistry.io/v1/widgets";
    expect(cluster.writes).toEqual([`apply ${widgets} one/a`, `applyStatus ${widgets} one/a`]);
  });

  it("lets a user replace an object and keeps its status, or sets it where one is given", async () => {
    const cluster = new FakeCluster();
    cluster.put(WidgetKind, { ...widget("a"), status: { phase: "Fine" } });
    const now = cluster.put(WidgetKind, { ...widget("a"), spec: { size: 2 } });
    expect(now).toMatchObject({ spec: { size: 2 }, status: { phase: "Fine" }, metadata: { generation: 2 } });
  });

  it("repairs what a user changed when it is applied again", async () => {
    const cluster = new FakeCluster();
    const made = await cluster.apply(WidgetKind, widget("a"));
    cluster.put(WidgetKind, { ...made, spec: { size: 7 } });
    await expect(cluster.apply(WidgetKind, widget("a"))).resolves.toMatchObject({ spec: { size: 1 } });
  });

  it("fails where a test wants it to, and works elsewhere", async () => {
    const boom = new Error("boom");
    const client = faulty(new FakeCluster(), { apply: () => Promise.reject(boom) });
    await expect(client.apply(WidgetKind, widget("a"))).rejects.toBe(boom);
    await expect(client.create(WidgetKind, widget("a"))).resolves.toBeDefined();
  });
});
