import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { WidgetKind, type Widget } from "./conformance.ts";
import { ClusterEvents, EventKind, type Happening } from "./events.ts";
import type { KubeClient } from "./kube.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { faulty } from "./testing/faulty.ts";

const widget: Widget = {
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: { name: "a", namespace: "edge", uid: "u" },
};
const failed: Happening = { type: "Warning", reason: "Failed", action: "Sync", note: "The parent is away." };

function setUp(client?: (cluster: FakeCluster) => KubeClient): {
  clock: ManualClock;
  cluster: FakeCluster;
  events: ClusterEvents;
  written: () => Promise<readonly object[]>;
  /** Whether we lead. */
  lead: (leads: boolean) => void;
} {
  const clock = new ManualClock();
  const cluster = new FakeCluster(clock);
  let ids = 0;
  let leads = true;
  const events = new ClusterEvents({
    client: client?.(cluster) ?? cluster,
    clock,
    log: silentLog,
    controller: "connectedregistry.io/operator",
    instance: "operator-0",
    newId: () => String(++ids),
    acts: () => leads,
  });
  const written = async (): Promise<readonly object[]> => {
    await events.run(AbortSignal.abort());
    return await cluster.list(EventKind);
  };
  return {
    clock,
    cluster,
    events,
    written,
    lead: (now) => {
      leads = now;
    },
  };
}

describe("ClusterEvents", () => {
  it("writes what happened beside the object, with who saw it", async () => {
    const { events, written } = setUp();
    events.record(widget, failed);
    await expect(written()).resolves.toMatchObject([
      {
        metadata: { name: "a.1", namespace: "edge" },
        regarding: {
          apiVersion: WidgetKind.apiVersion,
          kind: "Widget",
          namespace: "edge",
          name: "a",
          uid: "u",
        },
        eventTime: "2026-01-01T00:00:00.000000Z",
        reportingController: "connectedregistry.io/operator",
        reportingInstance: "operator-0",
        ...failed,
      },
    ]);
  });

  it("T98 counts what repeats itself in one event, in few writes", async () => {
    const { clock, cluster, events, written } = setUp();
    for (let at = 0; at < 100; at++) {
      events.record(widget, failed);
      await clock.advance(seconds(1));
    }
    await expect(written()).resolves.toMatchObject([
      { metadata: { name: "a.1" }, series: { count: 64, lastObservedTime: "2026-01-01T00:01:03.000000Z" } },
    ]);
    expect(cluster.writes).toHaveLength(7);
  });

  test.each<{ name: string; because: string; second: [Widget, Happening]; after: number; events: number }>([
    { name: "the same", because: "it happened once", second: [widget, failed], after: 599, events: 1 },
    { name: "the same much later", because: "it came back", second: [widget, failed], after: 600, events: 2 },
    {
      name: "another sentence",
      because: "something else happened",
      second: [widget, { ...failed, note: "The disk is full." }],
      after: 0,
      events: 2,
    },
    {
      name: "a new object of the same name",
      because: "it happened to another",
      second: [{ ...widget, metadata: { ...widget.metadata, uid: "v" } }, failed],
      after: 0,
      events: 2,
    },
  ])("makes $events of $name, because $because", async ({ second, after, events: count }) => {
    const { clock, events, written } = setUp();
    events.record(widget, failed);
    await clock.advance(seconds(after));
    events.record(...second);
    await expect(written()).resolves.toHaveLength(count);
  });

  it("T98 leaves the telling to the one that leads, and tells what happens from then on", async () => {
    const { events, written, lead } = setUp();
    lead(false);
    events.record(widget, failed);
    lead(true);
    events.record(widget, { ...failed, reason: "Other" });
    lead(false);
    events.record(widget, { ...failed, reason: "Another" });
    await expect(written()).resolves.toMatchObject([{ reason: "Other" }]);
  });

  it("loses nothing of a burst of a thousand objects", async () => {
    const { events, written } = setUp();
    for (let at = 0; at < 3000; at++) events.record(widget, { ...failed, note: String(at) });
    await expect(written()).resolves.toHaveLength(3000);
  });

  it("goes on after one that could not be written", async () => {
    let writes = 0;
    const { events, written } = setUp((cluster) =>
      faulty(cluster, {
        create: (kind, object) =>
          ++writes === 1 ? Promise.reject(new Error("forbidden")) : cluster.create(kind, object),
      }),
    );
    events.record(widget, failed);
    events.record(widget, { ...failed, reason: "Other" });
    await expect(written()).resolves.toMatchObject([{ reason: "Other" }]);
  });

  it("keeps a bounded number waiting while the API server does not answer", async () => {
    let asked = 0;
    const { events, clock } = setUp((cluster) =>
      faulty(cluster, { create: () => (asked++, new Promise(() => undefined)) }),
    );
    for (let at = 0; at < 10_000; at++) events.record(widget, { ...failed, note: String(at) });
    await clock.advance(seconds(1));
    expect(asked).toBe(1);
  });
});
