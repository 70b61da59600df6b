import { systemClock, type Clock } from "../../common/clock.ts";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** How a reconcile ended, in controller-runtime's words. */
const reconcileResults = ["success", "requeue_after", "requeue", "error"] as const;
export type ReconcileResult = (typeof reconcileResults)[number];

/** controller-runtime's, so that a quantile is as exact here as there. */
const queueBuckets = Array.from({ length: 12 }, (_, index) => 10 ** (index - 8));
const reconcileBuckets = [
  ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  ...[1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60],
];

/**
 * What dashboards made for controller-runtime ask for, under the same names. The counters of a controller start at
 * zero before its first event, so that a rate is defined from the start.
 */
export class RuntimeMetrics {
  private readonly reconciles: Counter<"controller" | "result">;
  private readonly errors: Counter<"controller">;
  private readonly times: Histogram<"controller">;
  private readonly workers: Gauge<"controller">;
  private readonly activeWorkers: Gauge<"controller">;
  private readonly depth: Gauge<"name" | "controller">;
  private readonly adds: Counter<"name" | "controller">;
  private readonly retries: Counter<"name" | "controller">;
  private readonly queued: Histogram<"name" | "controller">;
  private readonly worked: Histogram<"name" | "controller">;
  private readonly panics: Counter<"controller">;
  private readonly terminal: Counter<"controller">;
  private readonly requests: Counter<"method" | "code" | "host">;
  private readonly master: Gauge<"name">;
  private readonly slow: Counter<"name">;
  private readonly clock: Clock;
  /** When each reconcile that runs began, by controller. */
  private readonly running = new Map<string, Set<{ readonly since: number }>>();

  constructor(registry: Registry, clock: Clock = systemClock) {
    this.clock = clock;
    const registers = [registry];
    const controller = { labelNames: ["controller"] as const, registers };
    const queue = { labelNames: ["name", "controller"] as const, registers };
    this.reconciles = new Counter({
      name: "controller_runtime_reconcile_total",
      help: "Reconciles, by how they ended",
      labelNames: ["controller", "result"],
      registers,
    });
    this.errors = new Counter({
      name: "controller_runtime_reconcile_errors_total",
      help: "Reconciles that failed and are retried",
      ...controller,
    });
    this.panics = new Counter({
      name: "controller_runtime_reconcile_panics_total",
      help: "Reconciles that ended by an error of the program itself, beside being counted as failed",
      ...controller,
    });
    this.terminal = new Counter({
      name: "controller_runtime_terminal_reconcile_errors_total",
      help: "Always 0: what only a person can mend is told by a condition, and is no failed reconcile",
      ...controller,
    });
    this.times = new Histogram({
      name: "controller_runtime_reconcile_time_seconds",
      help: "How long a reconcile takes",
      buckets: reconcileBuckets,
      ...controller,
    });
    this.workers = new Gauge({
      name: "controller_runtime_max_concurrent_reconciles",
      help: "How many reconciles may run at once",
      ...controller,
    });
    this.activeWorkers = new Gauge({
      name: "controller_runtime_active_workers",
      help: "How many reconciles run now",
      ...controller,
    });
    this.depth = new Gauge({ name: "workqueue_depth", help: "Keys that wait for a worker", ...queue });
    this.adds = new Counter({ name: "workqueue_adds_total", help: "Keys that began to wait", ...queue });
    this.retries = new Counter({ name: "workqueue_retries_total", help: "Keys that failed", ...queue });
    this.queued = new Histogram({
      name: "workqueue_queue_duration_seconds",
      help: "How long a key waits for a worker",
      buckets: queueBuckets,
      ...queue,
    });
    this.worked = new Histogram({
      name: "workqueue_work_duration_seconds",
      help: "How long a worker has a key",
      buckets: queueBuckets,
      ...queue,
    });
    const running = this.running;
    const now = (): number => this.clock.steady();
    new Gauge({
      name: "workqueue_unfinished_work_seconds",
      help: "How long the workers have had the keys that they have now, in all",
      ...queue,
      collect() {
        for (const [name, all] of running) {
          const took = [...all].map(({ since }) => now() - since);
          this.set({ name, controller: name }, took.reduce((sum, one) => sum + one, 0) / 1000);
        }
      },
    });
    new Gauge({
      name: "workqueue_longest_running_processor_seconds",
      help: "How long the slowest worker has had the key that it has now",
      ...queue,
      collect() {
        for (const [name, all] of running) {
          const longest = Math.max(0, ...[...all].map(({ since }) => now() - since));
          this.set({ name, controller: name }, longest / 1000);
        }
      },
    });
    this.requests = new Counter({
      name: "rest_client_requests_total",
      help: "Calls to the API server, by answer; a call without one has the code <error>",
      labelNames: ["code", "method", "host"],
      registers,
    });
    this.master = new Gauge({
      name: "leader_election_master_status",
      help: "1 for the one that leads",
      labelNames: ["name"],
      registers,
    });
    this.slow = new Counter({
      name: "leader_election_slowpath_total",
      help: "Renewals of the Lease that failed and were tried again",
      labelNames: ["name"],
      registers,
    });
  }

  controller(name: string, workers: number): ControllerMetrics {
    const labels = { controller: name };
    const queue = { name, controller: name };
    for (const result of reconcileResults) this.reconciles.inc({ ...labels, result }, 0);
    this.workers.set(labels, workers);
    for (const counter of [this.errors, this.panics, this.terminal]) counter.inc(labels, 0);
    const running = new Set<{ readonly since: number }>();
    this.running.set(name, running);
    this.depth.set(queue, 0);
    for (const counter of [this.adds, this.retries]) counter.inc(queue, 0);
    return {
      started: () => {
        const work = { since: this.clock.steady() };
        running.add(work);
        this.activeWorkers.inc(labels);
        return () => {
          running.delete(work);
          this.activeWorkers.dec(labels);
        };
      },
      panicked: () => {
        this.panics.inc(labels);
      },
      ended: (result, took) => {
        this.reconciles.inc({ ...labels, result });
        this.times.observe(labels, took);
        this.worked.observe(queue, took);
        if (result === "error") this.errors.inc(labels);
      },
      added: (depth) => {
        this.adds.inc(queue);
        this.depth.set(queue, depth);
      },
      taken: (depth, waited) => {
        this.depth.set(queue, depth);
        this.queued.observe(queue, waited);
      },
      retried: () => {
        this.retries.inc(queue);
      },
    };
  }

  /** One call to the API server was answered with `status`, or not at all. */
  readonly requested = (method: string, status: number | undefined, host: string): void => {
    this.requests.inc({ method, code: status === undefined ? "<error>" : String(status), host });
  };

  readonly leading = (name: string, leads: boolean): void => {
    this.master.set({ name }, leads ? 1 : 0);
    this.slow.inc({ name }, 0);
  };

  /** The Lease could not be renewed at once. */
  readonly renewingSlowly = (name: string): void => {
    this.slow.inc({ name });
  };
}

/** What a controller tells of itself. Times are in seconds. */
export interface ControllerMetrics extends QueueMetrics {
  /** A worker begins. Call what it returns once it is through. */
  started(): () => void;
  /** The reconcile that ends has met an error of the program itself. */
  panicked(): void;
  ended(result: ReconcileResult, took: number): void;
}

export interface QueueMetrics {
  added(depth: number): void;
  taken(depth: number, waited: number): void;
  retried(): void;
}
