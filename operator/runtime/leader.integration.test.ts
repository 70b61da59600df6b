import { randomUUID } from "node:crypto";
import { systemClock } from "../../common/clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { startTestControlPlane, type TestControlPlane } from "../../e2e/harness/test-control-plane.ts";
import { fromKubeconfig } from "./client-node.ts";
import { ClusterEvents, EventKind } from "./events.ts";
import { LeaderElection, LeaseKind } from "./leader.ts";
import { RestClient } from "./rest-client.ts";

/** What the fake cannot judge: whether the API server takes the Leases and Events that we write. */
describe("on a real API server", () => {
  let plane: TestControlPlane;
  let client: RestClient;

  beforeAll(async () => {
    plane = await startTestControlPlane();
    client = new RestClient(
      fromKubeconfig(plane.kubeconfig, () => undefined),
      "connected-registry-operator",
    );
  });

  afterAll(() => plane.stop());

  it("a leader takes a free Lease, keeps it, and hands it over", async () => {
    const lease = { namespace: "default", name: "operator" };
    const run = (identity: string): { started: Promise<unknown>; stop: () => Promise<void> } => {
      const end = new AbortController();
      const started = Promise.withResolvers<undefined>();
      const done = new LeaderElection({
        client,
        lease,
        identity,
        clock: systemClock,
        log: silentLog,
        services: [
          {
            name: "work",
            ready: () => true,
            run: async (signal) => {
              started.resolve(undefined);
              await new Promise((resolve) => {
                signal.addEventListener("abort", resolve);
              });
            },
          },
        ],
        onChange: () => undefined,
      }).run(end.signal);
      return {
        started: started.promise,
        stop: async () => {
          end.abort();
          await done;
        },
      };
    };
    const holder = async (): Promise<object | undefined> => (await client.get(LeaseKind, lease))?.spec;
    const a = run("a");
    await a.started;
    await expect(holder()).resolves.toMatchObject({ holderIdentity: "a", leaseTransitions: 0 });
    const b = run("b");
    await a.stop();
    const handedOver = performance.now();
    await b.started;
    expect(performance.now() - handedOver).toBeLessThan(3000);
    await expect(holder()).resolves.toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
    await b.stop();
    await expect(holder()).resolves.toMatchObject({ leaseDurationSeconds: 1 });
  });

  it("an event is taken, and so is its count", async () => {
    const events = new ClusterEvents({
      client,
      clock: systemClock,
      log: silentLog,
      controller: "connectedregistry.io/operator",
      instance: "operator-0",
      newId: randomUUID,
      acts: () => true,
    });
    const lease = (await client.get(LeaseKind, { namespace: "default", name: "operator" }))!;
    for (let at = 0; at < 4; at++) {
      events.record(lease, {
        type: "Warning",
        reason: "Failed",
        action: "Sync",
        note: "The parent is away.",
      });
    }
    await events.run(AbortSignal.abort());
    const written = await client.list(EventKind, "default");
    expect(written.filter(({ reason }) => reason === "Failed")).toMatchObject([
      { note: "The parent is away.", regarding: { uid: lease.metadata.uid }, series: { count: 4 } },
    ]);
  });
});
