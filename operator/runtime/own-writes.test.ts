import { itself, watchOf, type WatchSpec } from "./reconciler.ts";
import { OwnWrites } from "./own-writes.ts";
import { WidgetKind, type Widget } from "./conformance.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

const key = { namespace: "edge", name: "a" };
const widget = (size: number): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: key,
  spec: { size },
});

describe("OwnWrites", () => {
  let cluster: FakeCluster;
  let own: OwnWrites;
  let watch: WatchSpec;

  beforeEach(() => {
    cluster = new FakeCluster();
    own = new OwnWrites(cluster);
    watch = own.unseen(watchOf(WidgetKind, itself));
  });

  test.each([
    { write: () => own.client.apply(WidgetKind, widget(1)), what: "an apply" },
    { write: () => own.client.create(WidgetKind, widget(1)), what: "a create" },
  ])("does not look because of the event of $what of its own", async ({ write }) => {
    const written = await write();
    expect(watch.keysFor(undefined, written)).toEqual([]);
  });

  it("does not look because of a status of its own", async () => {
    const before = await cluster.apply(WidgetKind, widget(1));
    const after = await own.client.applyStatus(WidgetKind, key, { seen: 1 });
    expect(watch.keysFor(before, after)).toEqual([]);
  });

  it("looks when somebody changes what it wrote, before its own event came or after", async () => {
    const written = await own.client.apply(WidgetKind, widget(1));
    const changed = cluster.put(WidgetKind, widget(2));
    expect(watch.keysFor(undefined, changed)).toEqual([key]);
    expect(watch.keysFor(changed, undefined)).toEqual([key]);
    // However many watches of the kind there are: they see one event.
    expect(watch.keysFor(undefined, written)).toEqual([]);
    expect(watch.keysFor(undefined, written)).toEqual([]);
  });

  it("looks at what another controller wrote through a client of its own", async () => {
    const written = await new OwnWrites(cluster).client.apply(WidgetKind, widget(1));
    expect(watch.keysFor(undefined, written)).toEqual([key]);
  });

  it("hears every event, also those it need not look at", async () => {
    const heard: unknown[] = [];
    const listening = own.unseen(
      watchOf(WidgetKind, (_, after) => {
        heard.push(after?.spec?.size);
        return [key];
      }),
    );
    listening.keysFor(undefined, await own.client.apply(WidgetKind, widget(3)));
    expect(heard).toEqual([3]);
  });
});
