import { milliseconds, seconds } from "../../common/clock.ts";
import { createMetrics } from "../../common/metrics.ts";
import type { Logger } from "../../common/log.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { awaitChange, requeueAfter, type Action } from "./action.ts";
import { WidgetKind, type Widget } from "./conformance.ts";
import { Controller } from "./controller.ts";
import { ConflictError } from "./kube.ts";
import { RuntimeMetrics } from "./metrics.ts";
import { itself, watchOf, type ReconcileContext } from "./reconciler.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

const widget = (name: string, size = 1): Widget => ({
  apiVersion: WidgetKind.apiVersion,
  kind: "Widget",
  metadata: { name, namespace: "edge" },
  spec: { size },
});

interface Run {
  readonly cluster: FakeCluster;
  readonly clock: ManualClock;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly lines: string[];
  readonly stop: () => Promise<void>;
}

function start(
  reconcile: (name: string, context: ReconcileContext) => Action | Promise<Action>,
  { workers = 1, cluster = new FakeCluster() } = {},
): Run {
  const clock = new ManualClock();
  const metrics = createMetrics();
  const lines: string[] = [];
  const controller = new Controller(
    {
      name: "widget",
      reconciler: { reconcile: (key, context) => reconcile(key.name, context) as Promise<Action> },
      watches: [watchOf(WidgetKind, itself)],
      workers,
    },
    cluster,
    {
      clock,
      log: recorder(lines),
      metrics: new RuntimeMetrics(metrics),
      backoff: (attempt) => seconds(attempt),
      deadline: seconds(30),
    },
  );
  const end = new AbortController();
  const done = controller.run(end.signal);
  const stop = async (): Promise<void> => {
    end.abort();
    await done;
  };
  return { cluster, clock, metrics, lines, stop };
}

function recorder(lines: string[], bound: Record<string, unknown> = {}): Logger {
  const write = (level: string) => (message: string, fields?: object) => {
    if (level !== "debug") lines.push(`${level}: ${message} ${JSON.stringify({ ...bound, ...fields })}`);
  };
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    debugs: true,
    with: (fields) => recorder(lines, { ...bound, ...fields }),
  };
}

const now = milliseconds(0);

describe("Controller", () => {
  it("reconciles what is there at the start, and then what changes", async () => {
    const cluster = new FakeCluster();
    await cluster.apply(WidgetKind, widget("a"));
    const seen: string[] = [];
    const run = start((name) => (seen.push(name), awaitChange), { cluster });
    await run.clock.advance(now);
    await cluster.apply(WidgetKind, widget("b"));
    await run.clock.advance(now);
    await cluster.delete(WidgetKind, { namespace: "edge", name: "a" });
    await run.clock.advance(now);
    expect(seen).toEqual(["a", "b", "a"]);
    await run.stop();
  });

  it("reconciles nothing before all there is was seen", async () => {
    const cluster = new FakeCluster();
    const synced = Promise.withResolvers<undefined>();
    cluster.synced = () => synced.promise;
    await cluster.apply(WidgetKind, widget("a"));
    const seen: string[] = [];
    const run = start((name) => (seen.push(name), awaitChange), { cluster });
    await run.clock.advance(seconds(10));
    expect(seen).toEqual([]);
    synced.resolve(undefined);
    await run.clock.advance(now);
    expect(seen).toEqual(["a"]);
    await run.stop();
  });

  it("comes back when the reconciler asks for it, and forgets failures before", async () => {
    const answers: (Action | Error)[] = [
      new Error("no"),
      requeueAfter(seconds(60)),
      new Error("no"),
      awaitChange,
    ];
    const seen: string[] = [];
    const run = start(() => {
      seen.push(run.clock.now().toFormat("m:ss"));
      const answer = answers.shift()!;
      if ("kind" in answer) return answer;
      throw answer;
    });
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.clock.advance(seconds(600));
    expect(seen).toEqual(["0:00", "0:01", "1:01", "1:02"]);
    await run.stop();
  });

  it("never has one key with two workers, and different keys with several", async () => {
    const running = new Map<string, number>();
    let most = 0;
    const gates: (() => void)[] = [];
    const run = start(
      async (name) => {
        running.set(name, (running.get(name) ?? 0) + 1);
        most = Math.max(most, ...running.values());
        await new Promise<void>((resolve) => gates.push(resolve));
        running.delete(name);
        return awaitChange;
      },
      { workers: 3 },
    );
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.cluster.apply(WidgetKind, widget("b"));
    await run.clock.advance(now);
    await run.cluster.apply(WidgetKind, widget("a", 2));
    await run.clock.advance(now);
    expect([most, running.size, gates.length]).toEqual([1, 2, 2]);
    gates.splice(0).forEach((open) => {
      open();
    });
    await run.clock.advance(now);
    expect([...running.keys()]).toEqual(["a"]);
    gates.splice(0).forEach((open) => {
      open();
    });
    await run.stop();
  });

  test.each([
    {
      name: "an error",
      fail: () => Promise.reject(new Error("boom")),
      noisy: true,
      because: "somebody must know",
    },
    {
      name: "an error at once",
      fail: (): never => {
        throw new TypeError("undefined is not a function");
      },
      noisy: true,
      because: "a bug in one reconcile must not end the controller",
    },
    {
      name: "a conflict",
      fail: () => Promise.reject(new ConflictError("changed")),
      noisy: false,
      because: "reading again is all there is to do",
    },
  ])("retries $name, because $because", async ({ fail, noisy }) => {
    let calls = 0;
    const run = start((): Action | Promise<Action> => (++calls === 1 ? fail() : awaitChange));
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.clock.advance(milliseconds(999));
    expect(calls).toBe(1);
    await run.clock.advance(milliseconds(1));
    expect(calls).toBe(2);
    expect(run.lines.filter((line) => line.startsWith("error"))).toHaveLength(noisy ? 1 : 0);
    const text = await run.metrics.metrics();
    expect(text).toContain(
      `controller_runtime_reconcile_total{controller="widget",result="${noisy ? "error" : "requeue"}"} 1`,
    );
    expect(text).toContain(`controller_runtime_reconcile_errors_total{controller="widget"} ${noisy ? 1 : 0}`);
    await run.stop();
  });

  it("gives every reconcile a log of its own, with its object and number", async () => {
    const run = start((_name, { log }) => {
      log.info("here");
      return awaitChange;
    });
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.clock.advance(now);
    expect(run.lines.at(-1)).toBe('info: here {"controller":"widget","object":"edge/a","reconcile":1}');
    await run.stop();
  });

  it("tells a reconcile that takes too long to stop, and retries it", async () => {
    const reasons: string[] = [];
    const run = start(async (name, { signal }) => {
      if (reasons.length > 0) return awaitChange;
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      });
      reasons.push(`${name}: ${(signal.reason as Error).message}`);
      throw signal.reason as Error;
    });
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.clock.advance(seconds(60));
    expect(reasons).toEqual(["a: not done within 30 s"]);
    await run.stop();
  });

  it("tells a running reconcile to stop, waits for it, and makes no noise about it", async () => {
    let ended = false;
    const run = start(async (_name, { signal }) => {
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      });
      ended = true;
      throw signal.reason as Error;
    });
    await run.cluster.apply(WidgetKind, widget("a"));
    await run.clock.advance(now);
    await run.stop();
    expect(ended).toBe(true);
    expect(run.lines.filter((line) => line.startsWith("error"))).toEqual([]);
    expect(run.clock.sleeping).toBe(0);
  });

  it("starts its counters at zero", async () => {
    const run = start(() => awaitChange);
    const text = await run.metrics.metrics();
    for (const line of [
      'controller_runtime_reconcile_total{controller="widget",result="error"} 0',
      'controller_runtime_reconcile_errors_total{controller="widget"} 0',
      'workqueue_depth{name="widget",controller="widget"} 0',
      'workqueue_adds_total{name="widget",controller="widget"} 0',
      'controller_runtime_max_concurrent_reconciles{controller="widget"} 1',
    ]) {
      expect(text).toContain(line);
    }
    await run.stop();
  });
});
