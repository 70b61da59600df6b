import { ManualClock } from "../../common/testing/manual-clock.ts";
import { seconds } from "../../common/clock.ts";
import { SyncPolicyKind, type SyncPolicy } from "../api/syncpolicy.gen.ts";
import type { Happening } from "../runtime/events.ts";
import { FakeCluster } from "../runtime/testing/fake-cluster.ts";
import { WaitingError } from "../status/errors.ts";
import { expectSound } from "../status/sound.ts";
import type { Finding, Outcome } from "../status/summarize.ts";
import { Reporter } from "./report.ts";

const key = { namespace: "edge", name: "contoso" };
const ready: Outcome["ready"] = { reason: "Valid", message: "The policy can be followed." };
const fine: Outcome = { findings: [], ready };
const broken: Outcome = { findings: [], ready, error: new Error("500: etcd is away") };
const waits: Finding = { kind: "fault", error: new WaitingError("InvalidSchedule", "Not yet.") };

class Process {
  readonly clock = new ManualClock("2026-11-21T08:00:00Z");
  readonly cluster = new FakeCluster(this.clock);
  readonly told: Happening[] = [];
  private reporter = this.started();

  constructor() {
    const metadata = { ...key, generation: 1 };
    this.cluster.put(SyncPolicyKind, {
      apiVersion: SyncPolicyKind.apiVersion,
      kind: "SyncPolicy",
      metadata,
      spec: {},
    } as SyncPolicy);
  }

  restart(): void {
    this.reporter = this.started();
  }

  async report(outcome: Outcome): Promise<string> {
    const policy = await this.cluster.get(SyncPolicyKind, key);
    if (policy === undefined) throw new Error("the policy is gone");
    await this.reporter.report(SyncPolicyKind, policy, outcome, {}, this.clock.now());
    const { status } = (await this.cluster.get(SyncPolicyKind, key)) ?? {};
    expectSound(status);
    return status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "-";
  }

  private started(): Reporter {
    const events = {
      record: (_object: unknown, happening: Happening) => {
        this.told.push(happening);
      },
    };
    return new Reporter({ client: this.cluster, events });
  }
}

describe("Reporter", () => {
  it("lets an object stay Ready over calls that fail for half a minute, without a write or an Event", async () => {
    const process = new Process();
    await process.report(fine);
    const [writes, told] = [process.cluster.writes.length, process.told.length];
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(process.report(broken)).resolves.toBe("True");
      await process.clock.advance(seconds(9));
    }
    await expect(process.report(fine)).resolves.toBe("True");
    expect([process.cluster.writes.length, process.told.length]).toEqual([writes, told]);
  });

  it("counts the half minute anew after a reconcile that came to its end", async () => {
    const process = new Process();
    await process.report(fine);
    await process.report(broken);
    await process.clock.advance(seconds(29));
    await process.report(fine);
    await process.clock.advance(seconds(1));
    await expect(process.report(broken)).resolves.toBe("True");
    await process.clock.advance(seconds(30));
    await expect(process.report(broken)).resolves.toBe("Unknown");
  });

  it("says at once of a new object that its first reconcile broke off", async () => {
    await expect(new Process().report(broken)).resolves.toBe("Unknown");
  });

  it("T98 does not warn again after a restart of what it has warned of", async () => {
    const process = new Process();
    await process.report({ findings: [waits], ready });
    await process.clock.advance(seconds(61));
    await process.report({ findings: [waits], ready });
    expect(process.told.map(({ type }) => type)).toEqual(["Normal", "Warning"]);
    process.restart();
    await process.report({ findings: [waits], ready });
    await process.clock.advance(seconds(600));
    await process.report({ findings: [waits], ready });
    expect(process.told).toHaveLength(2);
  });

  it("warns after a restart once patience is over, counted from before it", async () => {
    const process = new Process();
    await process.report({ findings: [waits], ready });
    await process.clock.advance(seconds(40));
    process.restart();
    await process.report({ findings: [waits], ready });
    expect(process.told.map(({ type }) => type)).toEqual(["Normal"]);
    await process.clock.advance(seconds(20));
    await process.report({ findings: [waits], ready });
    expect(process.told.map(({ type }) => type)).toEqual(["Normal", "Warning"]);
  });
});
