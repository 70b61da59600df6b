import { seconds } from "../../common/clock.ts";
import type { Service } from "../../common/service.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import type { KubeClient } from "./kube.ts";
import { LeaderElection, LeadershipLostError, LeaseKind } from "./leader.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { faulty } from "./testing/faulty.ts";

const key = { namespace: "system", name: "operator" };
const boom = new Error("connection refused");

interface Candidate {
  readonly leads: () => boolean;
  readonly stop: () => Promise<void>;
  readonly ended: Promise<unknown>;
}

/** A replica of the program, and whether what only the leader may run is running. */
function candidate(
  identity: string,
  client: KubeClient,
  clock: ManualClock,
  log: string[] = [],
  pod?: string,
): Candidate {
  let running = false;
  const work: Service = {
    name: "work",
    ready: () => true,
    run: async (signal) => {
      running = true;
      log.push(`${identity} starts`);
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      log.push(`${identity} stops`);
      running = false;
    },
  };
  const end = new AbortController();
  const election = new LeaderElection({
    client,
    lease: key,
    identity,
    ...(pod === undefined ? {} : { pod }),
    clock,
    log: silentLog,
    services: [work],
    onChange: () => undefined,
  });
  const ended = election.run(end.signal).catch((error: unknown) => error);
  return {
    leads: () => running,
    ended,
    stop: async () => {
      end.abort();
      await ended;
    },
  };
}

describe("LeaderElection", () => {
  let clock: ManualClock;
  let cluster: FakeCluster;
  let log: string[];

  beforeEach(() => {
    clock = new ManualClock();
    cluster = new FakeCluster(clock);
    log = [];
  });

  it("lets one lead and the others wait", async () => {
    const a = candidate("a", cluster, clock);
    const b = candidate("b", cluster, clock);
    await clock.advance(seconds(120));
    expect([a.leads(), b.leads()]).toEqual([true, false]);
    await expect(cluster.get(LeaseKind, key)).resolves.toMatchObject({
      spec: {
        holderIdentity: "a",
        leaseDurationSeconds: 15,
        acquireTime: "2026-01-01T00:00:00.000000Z",
        renewTime: "2026-01-01T00:02:00.000000Z",
        leaseTransitions: 0,
      },
    });
    await b.stop();
    await a.stop();
  });

  it("hands over within one look when the leader is told to stop, and only once its work has stopped", async () => {
    const a = candidate("a", cluster, clock, log);
    await clock.advance(seconds(10));
    const b = candidate("b", cluster, clock, log);
    await clock.advance(seconds(1));
    await a.stop();
    await clock.advance(seconds(2));
    expect(b.leads()).toBe(true);
    expect(log).toEqual(["a starts", "a stops", "b starts"]);
    await expect(cluster.get(LeaseKind, key)).resolves.toMatchObject({ spec: { leaseTransitions: 1 } });
    await b.stop();
  });

  it("takes over from a leader that fell silent, after its Lease has run out and not before", async () => {
    let cut = false;
    const unreliable = faulty(cluster, {
      apply: (kind, object) => (cut ? Promise.reject(boom) : cluster.apply(kind, object)),
    });
    const a = candidate("a", unreliable, clock, log);
    await clock.advance(seconds(60));
    const b = candidate("b", cluster, clock, log);
    await clock.advance(seconds(1));
    cut = true;
    await clock.advance(seconds(13));
    expect([a.leads(), b.leads()]).toEqual([false, false]);
    await expect(a.ended).resolves.toBeInstanceOf(LeadershipLostError);
    await clock.advance(seconds(5));
    expect(b.leads()).toBe(true);
    await b.stop();
  });

  test.each([
    { outage: 7, leads: true, because: "a short outage of the API server is no reason to stop" },
    { outage: 13, leads: false, because: "another may lead soon" },
  ])(
    "leads on after $outage s without the API server: $leads, because $because",
    async ({ outage, leads }) => {
      let cut = false;
      const unreliable = faulty(cluster, {
        apply: (kind, object) => (cut ? Promise.reject(boom) : cluster.apply(kind, object)),
      });
      const a = candidate("a", unreliable, clock);
      await clock.advance(seconds(60));
      cut = true;
      await clock.advance(seconds(outage));
      cut = false;
      await clock.advance(seconds(10));
      expect(a.leads()).toBe(leads);
      await a.stop();
    },
  );

  it("stops in time although the API server never answers", async () => {
    let hangs = false;
    const silent = faulty(cluster, {
      apply: (kind, object) => (hangs ? new Promise(() => undefined) : cluster.apply(kind, object)),
    });
    const a = candidate("a", silent, clock);
    await clock.advance(seconds(60));
    hangs = true;
    await clock.advance(seconds(12));
    expect(a.leads()).toBe(false);
    await expect(a.ended).resolves.toBeInstanceOf(LeadershipLostError);
  });

  it("stops at once when its Lease was taken from it", async () => {
    const a = candidate("a", cluster, clock);
    await clock.advance(seconds(10));
    const lease = (await cluster.get(LeaseKind, key))!;
    cluster.put(LeaseKind, { ...lease, spec: { ...lease.spec, holderIdentity: "b" } });
    await clock.advance(seconds(2));
    expect(a.leads()).toBe(false);
    await expect(a.ended).resolves.toMatchObject({ message: "b has taken the Lease" });
    await expect(cluster.get(LeaseKind, key)).resolves.toMatchObject({ spec: { holderIdentity: "b" } });
  });

  it("leads on when somebody labels its Lease", async () => {
    const a = candidate("a", cluster, clock);
    await clock.advance(seconds(10));
    const lease = (await cluster.get(LeaseKind, key))!;
    cluster.put(LeaseKind, { ...lease, metadata: { ...lease.metadata, labels: { seen: "yes" } } });
    await clock.advance(seconds(60));
    expect(a.leads()).toBe(true);
    await a.stop();
  });

  test.each([
    {
      holder: "operator-1_a",
      pod: "operator-1",
      leads: true,
      because: "a pod runs one container of us at a time",
    },
    { holder: "operator-1_a", pod: "operator-2", leads: false, because: "the other pod may be alive" },
    { holder: "operator-12_a", pod: "operator-1", leads: false, because: "that is the name of another pod" },
    {
      holder: "operator-1_a",
      pod: undefined,
      leads: false,
      because: "out of a pod nobody knows who else runs",
    },
  ])(
    "leads at once after a kill of $holder in $pod: $leads, because $because",
    async ({ holder, pod, leads }) => {
      cluster.put(LeaseKind, {
        apiVersion: LeaseKind.apiVersion,
        kind: LeaseKind.kind,
        metadata: key,
        spec: { holderIdentity: holder, leaseDurationSeconds: 15 },
      });
      const next = candidate("operator-1_b", cluster, clock, log, pod);
      await clock.advance(seconds(1));
      expect(next.leads()).toBe(leads);
      await next.stop();
    },
  );

  it("gives nothing up that it never had", async () => {
    const a = candidate("a", cluster, clock);
    const b = candidate("b", cluster, clock);
    await clock.advance(seconds(5));
    await b.stop();
    await clock.advance(seconds(60));
    expect(a.leads()).toBe(true);
    await a.stop();
  });

  it("never has two leaders, whoever comes, goes or is cut off", async () => {
    const cut = new Set<string>();
    const make = (identity: string): Candidate =>
      candidate(
        identity,
        faulty(cluster, {
          apply: (kind, object) => (cut.has(identity) ? Promise.reject(boom) : cluster.apply(kind, object)),
        }),
        clock,
        log,
      );
    const all = ["a", "b", "c"].map(make);
    for (const identity of ["a", "b", "c", "a", "b"]) {
      cut.add(identity);
      for (let second = 0; second < 40; second++) {
        await clock.advance(seconds(1));
        expect(all.filter(({ leads }) => leads()).length).toBeLessThanOrEqual(1);
      }
      cut.clear();
    }
    expect(log.filter((line) => line.endsWith("starts")).length).toBeGreaterThan(1);
    for (const { stop } of all) await stop();
  });
});
