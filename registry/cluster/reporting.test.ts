import { seconds } from "../../common/clock.ts";
import { ClusterError } from "../../common/cluster/errors.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MemoryCluster } from "../../common/testing/memory-cluster.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { StatusBoard } from "../sync/telling/board.ts";
import { LeaseRenewal } from "./lease.ts";
import { StatusReporter } from "./reporter.ts";

const place = { namespace: "edge", name: "contoso" };

describe("StatusReporter", () => {
  let clock: ManualClock;
  let cluster: MemoryCluster;
  let board: StatusBoard;
  let reporter: StatusReporter;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    clock = new ManualClock();
    cluster = new MemoryCluster();
    let id = 0;
    board = new StatusBoard("0.1.0", clock, () => String(++id));
    const memory = { count: 0, heard: () => Promise.resolve() };
    reporter = new StatusReporter(cluster, place, board, memory, clock, () => 0, silentLog);
    stop = new AbortController();
    running = reporter.run(stop.signal);
  });

  afterEach(async () => {
    stop.abort(new Error("stopped"));
    await running;
  });

  /** The states that were reported, in order. */
  const states = (): readonly unknown[] =>
    cluster.applied.map(
      ({ object }) => (object as { status: { connectionState: string } }).status.connectionState,
    );

  test("waits with its first report until the parent was asked", async () => {
    await clock.advance(seconds(2));
    expect(cluster.applied).toEqual([]);
    board.update({ contact: "online" });
    await eventually(() => cluster.applied.length === 1);
    expect(cluster.applied[0]).toEqual({
      path: "/apis/connectedregistry.io/v1alpha1/namespaces/edge/connectedregistries/contoso/status",
      fieldManager: "connected-registry",
      object: {
        apiVersion: "connectedregistry.io/v1alpha1",
        kind: "ConnectedRegistry",
        metadata: place,
        status: { connectionState: "Online", version: "0.1.0", statusDetails: [] },
      },
    });
  });

  test("does not wait for ever", async () => {
    await clock.advance(seconds(10));
    expect(states()).toEqual(["Offline"]);
  });

  test("tells a change at once, and many within five seconds together", async () => {
    board.update({ contact: "online" });
    await clock.advance(seconds(20));
    board.update({ contact: "offline" });
    await eventually(() => cluster.applied.length === 2);
    board.update({ contact: "online" });
    board.update({ contact: "online", copying: true });
    await clock.advance(seconds(4));
    expect(states()).toEqual(["Online", "Offline"]);
    await clock.advance(seconds(1));
    expect(states()).toEqual(["Online", "Offline", "Syncing"]);
  });

  test("T91 times alone are told once a minute", async () => {
    board.update({ contact: "online" });
    await clock.advance(seconds(5));
    for (let turn = 0; turn < 10; turn++) {
      board.update({ lastSyncTime: clock.now().toISO() });
      await clock.advance(seconds(5));
    }
    expect(cluster.applied).toHaveLength(1);
    await clock.advance(seconds(5));
    expect(cluster.applied).toHaveLength(2);
  });

  test("the link's use is told when another hundredth of the quota is used, or its rate is another", async () => {
    const link = { usedToday: 0, usedThisMonth: 0, questionsToday: 0 };
    const quota = {
      period: "Day",
      bytes: 100_000,
      left: 100_000,
      resetTime: "2026-01-02T00:00:00Z",
    } as const;
    board.update({ contact: "online", link: { ...link, quota } });
    await clock.advance(seconds(5));
    board.update({ link: { ...link, usedToday: 999, quota: { ...quota, left: 99_001 } } });
    await clock.advance(seconds(5));
    expect(cluster.applied).toHaveLength(1);
    board.update({ link: { ...link, usedToday: 1000, quota: { ...quota, left: 99_000 } } });
    await clock.advance(seconds(5));
    expect(cluster.applied).toHaveLength(2);
    board.update({ link: { ...link, bytesPerSecond: 20_000, quota: { ...quota, left: 99_000 } } });
    await clock.advance(seconds(5));
    expect(cluster.applied).toHaveLength(3);
  });

  test("the progress of a sync is told every five seconds, and what it knows then", async () => {
    const times: number[] = [];
    const unchanged = cluster.apply.bind(cluster);
    cluster.apply = (...call) => {
      times.push(clock.now().toSeconds());
      return unchanged(...call);
    };
    const sync = {
      trigger: "InitialSync",
      state: "Syncing",
      startTime: "2026-01-01T00:00:00Z",
      tags: { selected: 1, upToDate: 0, copied: 0, failed: 0, postponed: 0 },
      failures: [],
    } as const;
    for (let second = 0; second < 20; second++) {
      board.update({ contact: "online", copying: true, sync: { ...sync, bytes: second } });
      await clock.advance(seconds(1));
    }
    const begin = times[0] ?? 0;
    expect(times.map((time) => time - begin)).toEqual([0, 5, 10, 15, 20]);
    const last = cluster.applied.at(-1)?.object as { status: { sync: { bytes: number } } };
    expect(last.status.sync.bytes).toBeGreaterThanOrEqual(15);
  });

  test("says it again when it is told that it was silent", async () => {
    board.update({ contact: "online" });
    await clock.advance(seconds(5));
    reporter.refresh();
    await eventually(() => cluster.applied.length === 2);
    expect(states()).toEqual(["Online", "Online"]);
  });

  test("tries again, more and more seldom, and then tells the present state", async () => {
    cluster.failure = new Error("no API server");
    board.update({ contact: "online" });
    await clock.advance(seconds(12));
    board.update({ contact: "offline" });
    cluster.failure = undefined;
    await clock.advance(seconds(20));
    expect(states()).toEqual(["Offline"]);
  });
});

describe("what the status remembers of the volume", () => {
  const path = "/apis/connectedregistry.io/v1alpha1/namespaces/edge/connectedregistries";
  let clock: ManualClock;
  let cluster: MemoryCluster;
  let stop: AbortController;
  let running: Promise<void>;
  let told: (number | undefined)[];

  beforeEach(() => {
    clock = new ManualClock();
    cluster = new MemoryCluster();
    cluster.put(path, "contoso", { status: { upCourse: 41 } });
    told = [];
  });

  afterEach(async () => {
    stop.abort(new Error("stopped"));
    await running;
  });

  function start(): void {
    const board = new StatusBoard("0.1.0", clock, () => "1");
    board.update({ contact: "online" });
    const memory = {
      // As long as it has heard nothing it is not as far as it was.
      get count(): number {
        return told.length === 0 ? 7 : 41;
      },
      heard: async (count: number | undefined): Promise<void> => {
        told.push(count);
      },
    };
    stop = new AbortController();
    running = new StatusReporter(cluster, place, board, memory, clock, () => 0, silentLog).run(stop.signal);
  }
  const reported = (): readonly unknown[] =>
    cluster.applied.map(({ object }) => (object as { status: { upCourse?: number } }).status.upCourse);

  test("is read before the first report takes its place", async () => {
    start();
    await clock.advance(seconds(10));
    expect(told).toEqual([41]);
    expect(reported()).toEqual([41]);
  });

  test("is waited for, and nothing is reported meanwhile", async () => {
    const get = cluster.get.bind(cluster);
    cluster.get = () => Promise.reject(new ClusterError(500, "the API server is not well"));
    start();
    await clock.advance(seconds(300));
    expect([told, reported()]).toEqual([[], []]);
    cluster.get = get;
    await clock.advance(seconds(70));
    expect([told, reported()[0]]).toEqual([[41], 41]);
  });

  test("is given up where the Role does not allow to read it", async () => {
    cluster.get = () => Promise.reject(new ClusterError(403, "forbidden"));
    start();
    await clock.advance(seconds(90));
    expect(told).toEqual([undefined]);
    expect(reported().length).toBeGreaterThan(0);
  });
});

describe("LeaseRenewal", () => {
  test("renews every five seconds, and tells when it had been silent", async () => {
    const clock = new ManualClock();
    const cluster = new MemoryCluster();
    const stop = new AbortController();
    let recovered = 0;
    const lease = new LeaseRenewal(cluster, place, "pod-1", clock, silentLog, () => (recovered += 1));
    const running = lease.run(stop.signal);
    await clock.advance(seconds(10));
    expect(recovered).toBe(1);
    expect(cluster.applied).toHaveLength(3);
    expect(cluster.applied[1]).toEqual({
      path: "/apis/coordination.k8s.io/v1/namespaces/edge/leases/contoso",
      fieldManager: "connected-registry",
      object: {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: place,
        spec: {
          holderIdentity: "pod-1",
          leaseDurationSeconds: 20,
          renewTime: "2026-01-01T00:00:05.000000Z",
        },
      },
    });
    cluster.failure = new Error("no API server");
    await clock.advance(seconds(10));
    cluster.failure = undefined;
    await clock.advance(seconds(5));
    expect(recovered).toBe(1);
    cluster.failure = new Error("no API server");
    await clock.advance(seconds(25));
    cluster.failure = undefined;
    await clock.advance(seconds(5));
    expect(recovered).toBe(2);
    stop.abort(new Error("stopped"));
    await expect(running).resolves.toBeUndefined();
  });
});
