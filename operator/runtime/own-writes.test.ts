import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { awaitChange } from "./action.ts";
import { WidgetKind, type Widget } from "./conformance.ts";
import type { KubeClient, NamespacedName } from "./kube.ts";
import { OwnWrites } from "./own-writes.ts";
import { itself, watchOf, type ControllerSpec } from "./reconciler.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

const key = { namespace: "edge", name: "a" };
const widget = (size: number, metadata: Widget["metadata"] = key): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata,
  spec: { size },
});

describe("OwnWrites", () => {
  let cluster: FakeCluster;
  let heard: unknown[];
  let work: (client: KubeClient) => Promise<Widget | undefined>;
  let written: Widget | undefined;
  let spec: ControllerSpec;

  const controller = (): ControllerSpec => {
    const own = new OwnWrites(cluster);
    return own.overlooked({
      name: "test",
      workers: 1,
      watches: [
        watchOf(WidgetKind, (before, after) => {
          heard.push(after?.spec?.size);
          return itself(before, after);
        }),
      ],
      reconciler: {
        reconcile: async () => {
          written = await work(own.client);
          return awaitChange;
        },
      },
    });
  };
  const reconcile = async (of: NamespacedName = key): Promise<void> => {
    const { signal } = new AbortController();
    await spec.reconciler.reconcile(of, { log: silentLog, clock: new ManualClock(), signal });
  };
  const looksAt = (after: Widget | undefined): readonly NamespacedName[] =>
    spec.watches[0]!.keysFor(undefined, after);

  beforeEach(() => {
    cluster = new FakeCluster();
    heard = [];
    work = (client) => client.apply(WidgetKind, widget(1));
    spec = controller();
  });

  test.each<{ what: string; write: (client: KubeClient) => Promise<Widget | undefined> }>([
    { what: "an apply", write: (client) => client.apply(WidgetKind, widget(1)) },
    { what: "a create", write: (client) => client.create(WidgetKind, widget(1)) },
    {
      what: "a status",
      write: async (client) => {
        await cluster.apply(WidgetKind, widget(1));
        return await client.applyStatus(WidgetKind, key, { phase: "Fine" });
      },
    },
    {
      what: "finalizers",
      write: async (client) => {
        const { metadata } = await cluster.apply(WidgetKind, widget(1));
        return await client.setFinalizers(WidgetKind, key, ["a/b"], metadata.resourceVersion ?? "");
      },
    },
  ])("does not look because of the event of $what of its own, but hears it", async ({ write }) => {
    work = write;
    await reconcile();
    expect(looksAt(written)).toEqual([]);
    expect(heard).toEqual([1]);
  });

  it("looks when somebody changes what it wrote", async () => {
    await reconcile();
    expect(looksAt(cluster.put(WidgetKind, widget(2)))).toEqual([key]);
    expect(looksAt(undefined)).toEqual([]);
    expect(spec.watches[0]!.keysFor(written, undefined)).toEqual([key]);
  });

  it("looks at a write that was not yet seen when the key was looked at again", async () => {
    await reconcile();
    const early = written;
    work = async () => undefined;
    await reconcile();
    expect(looksAt(early)).toEqual([key]);
  });

  it("looks at a write on behalf of another key", async () => {
    await reconcile({ ...key, name: "b" });
    expect(looksAt(written)).toEqual([key]);
  });

  it("looks at what another controller wrote, and at what was written outside of a reconcile", async () => {
    const other = controller();
    await reconcile();
    expect(other.watches[0]!.keysFor(undefined, written)).toEqual([key]);
    expect(looksAt(await new OwnWrites(cluster).client.apply(WidgetKind, widget(3)))).toEqual([key]);
  });
});
