import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** How a reconcile ended, in controller-runtime's words. */
const reconcileResults = ["success", "requeue_after", "requeue", "error"] as const;
export type ReconcileResult = (typeof reconcileResults)[number];

const queueBuckets = [0.001, 0.01, 0.1, 1, 10, 100, 1000];
const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

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
  private readonly requests: Counter<"method" | "code">;
  private readonly master: Gauge<"name">;

  constructor(registry: Registry) {
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
    this.requests = new Counter({
      name: "rest_client_requests_total",
      help: "Calls to the API server, by answer; a call without one has the code <error>",
      labelNames: ["method", "code"],
      registers,
    });
    this.master = new Gauge({
      name: "leader_election_master_status",
      help: "1 for the one that leads",
      labelNames: ["name"],
      registers,
    });
  }

  controller(name: string, workers: number): ControllerMetrics {
    const labels = { controller: name };
    const queue = { name, controller: name };
    for (const result of reconcileResults) this.reconciles.inc({ ...labels, result }, 0);
    this.workers.set(labels, workers);
    this.errors.inc(labels, 0);
    this.depth.set(queue, 0);
    for (const counter of [this.adds, this.retries]) counter.inc(queue, 0);
    return {
      started: () => {
        this.activeWorkers.inc(labels);
      },
      ended: (result, took) => {
        this.activeWorkers.dec(labels);
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
  readonly requested = (method: string, status: number | undefined): void => {
    this.requests.inc({ method, code: status === undefined ? "<error>" : String(status) });
  };

  readonly leading = (name: string, leads: boolean): void => {
    this.master.set({ name }, leads ? 1 : 0);
  };
}

/** What a controller tells of itself. Times are in seconds. */
export interface ControllerMetrics extends QueueMetrics {
  started(): void;
  ended(result: ReconcileResult, took: number): void;
}

export interface QueueMetrics {
  added(depth: number): void;
  taken(depth: number, waited: number): void;
  retried(): void;
}
