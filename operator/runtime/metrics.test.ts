import { seconds } from "../../common/clock.ts";
import { createMetrics } from "../../common/metrics.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { RuntimeMetrics } from "./metrics.ts";

/** Name, type and labels of controller-runtime v0.22.3: pkg/internal/controller/metrics, pkg/internal/metrics, pkg/metrics. */
const ofControllerRuntime: readonly (readonly [string, string, readonly string[]])[] = [
  ["controller_runtime_active_workers", "gauge", ["controller"]],
  ["controller_runtime_max_concurrent_reconciles", "gauge", ["controller"]],
  ["controller_runtime_reconcile_errors_total", "counter", ["controller"]],
  ["controller_runtime_reconcile_panics_total", "counter", ["controller"]],
  ["controller_runtime_reconcile_time_seconds", "histogram", ["controller"]],
  ["controller_runtime_reconcile_total", "counter", ["controller", "result"]],
  ["controller_runtime_terminal_reconcile_errors_total", "counter", ["controller"]],
  ["leader_election_master_status", "gauge", ["name"]],
  ["leader_election_slowpath_total", "counter", ["name"]],
  ["rest_client_requests_total", "counter", ["code", "host", "method"]],
  ["workqueue_adds_total", "counter", ["controller", "name"]],
  // Its label priority is empty for a queue without priorities, which is the same as none.
  ["workqueue_depth", "gauge", ["controller", "name"]],
  ["workqueue_longest_running_processor_seconds", "gauge", ["controller", "name"]],
  ["workqueue_queue_duration_seconds", "histogram", ["controller", "name"]],
  ["workqueue_retries_total", "counter", ["controller", "name"]],
  ["workqueue_unfinished_work_seconds", "gauge", ["controller", "name"]],
  ["workqueue_work_duration_seconds", "histogram", ["controller", "name"]],
];

function setUp(): { clock: ManualClock; metrics: RuntimeMetrics; scrape: () => Promise<string> } {
  const registry = createMetrics();
  const clock = new ManualClock();
  return { clock, metrics: new RuntimeMetrics(registry, clock), scrape: () => registry.metrics() };
}

/** The labels of every series of `name` in `text`. */
function labelsOf(text: string, name: string): readonly (readonly string[])[] {
  const line = new RegExp(`^${name}(?:_count)?\\{(.*)\\} `, "gm");
  return [...text.matchAll(line)].map(([, labels = ""]) =>
    [...labels.matchAll(/(\w+)="/g)].map(([, label = ""]) => label).sort(),
  );
}

describe("RuntimeMetrics", () => {
  const { clock, metrics, scrape } = setUp();
  beforeAll(async () => {
    const controller = metrics.controller("widget", 2);
    controller.added(1);
    controller.taken(0, 0.5);
    const through = controller.started();
    await clock.advance(seconds(1));
    through();
    controller.ended("success", 1);
    metrics.requested("GET", 200, "10.96.0.1:443");
    metrics.leading("operator", true);
  });

  test.each(ofControllerRuntime)(
    "has %s as controller-runtime has it: a %s by %j",
    async (name, type, labels) => {
      const text = await scrape();
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
      const found = labelsOf(text, name);
      expect(found.length).toBeGreaterThan(0);
      for (const each of found) expect(each).toEqual(labels);
    },
  );

  test("has no other series of these families", async () => {
    const names = [
      ...(await scrape()).matchAll(
        /^# TYPE ((?:controller_runtime|workqueue|rest_client|leader_election)_\w+) /gm,
      ),
    ];
    expect(names.map(([, name]) => name).sort()).toEqual(ofControllerRuntime.map(([name]) => name));
  });

  test("starts every counter of a controller at zero", async () => {
    const fresh = setUp();
    fresh.metrics.controller("widget", 2);
    const text = await fresh.scrape();
    for (const [name, type, labels] of ofControllerRuntime) {
      if (type !== "counter" || !labels.includes("controller")) continue;
      expect(text).toMatch(new RegExp(`^${name}\\{.*controller="widget".*\\} 0$`, "m"));
    }
  });

  test("tells how long the workers have had what they have now", async () => {
    const { metrics, clock, scrape } = setUp();
    const controller = metrics.controller("widget", 2);
    const first = controller.started();
    await clock.advance(seconds(20));
    controller.started();
    await clock.advance(seconds(5));
    const of = async (name: string): Promise<string | undefined> =>
      new RegExp(`^workqueue_${name}\\{.*\\} (.*)$`, "m").exec(await scrape())?.[1];
    expect(await of("unfinished_work_seconds")).toBe("30");
    expect(await of("longest_running_processor_seconds")).toBe("25");
    first();
    expect(await of("unfinished_work_seconds")).toBe("5");
    expect(await of("longest_running_processor_seconds")).toBe("5");
  });
});
