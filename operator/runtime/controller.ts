import type { Duration } from "luxon";
import type { Backoff } from "../../common/backoff.ts";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import { withDeadline } from "./deadline.ts";
import {
  ConflictError,
  keyText,
  NamespaceTerminatingError,
  type KubeWatcher,
  type NamespacedName,
} from "./kube.ts";
import type { ControllerMetrics, ReconcileResult, RuntimeMetrics } from "./metrics.ts";
import type { ControllerSpec } from "./reconciler.ts";
import { WorkQueue } from "./workqueue.ts";

export interface ControllerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RuntimeMetrics;
  /** Between the failures of one key. */
  readonly backoff: Backoff;
  /** After this much time a reconcile is told to stop, and counts as failed. */
  readonly deadline: Duration;
}

/**
 * Runs a `ControllerSpec`: a change becomes keys, the queue merges them, a worker reconciles one at a time.
 *
 * # Guarantees
 * - No key is reconciled before all watched kinds have been read once, nor by two workers at once.
 * - Whatever a reconcile throws is logged, counted and retried with backoff; it never ends the controller. A conflict
 *   is retried without a word, and so is what a stop interrupted forgotten. In a namespace that is being deleted nothing
 *   is tried again: the object goes, too.
 * - Once `run` has resolved, no reconcile runs.
 */
export class Controller implements Service {
  readonly name: string;
  private readonly spec: ControllerSpec;
  private readonly watcher: KubeWatcher;
  private readonly options: ControllerOptions;
  private readonly metrics: ControllerMetrics;
  private readonly queue: WorkQueue;
  private readonly log: Logger;
  private reconciles = 0;

  /** Watches at once, so that no change is missed; nothing is reconciled before `run`. */
  constructor(spec: ControllerSpec, watcher: KubeWatcher, options: ControllerOptions) {
    this.name = spec.name;
    this.spec = spec;
    this.watcher = watcher;
    this.options = options;
    this.log = options.log.with({ controller: spec.name });
    this.metrics = options.metrics.controller(spec.name, spec.workers);
    this.queue = new WorkQueue(options.clock, options.backoff, this.metrics);
    const { watches, settle } = spec;
    for (const { kind, keysFor } of watches) {
      watcher.watch(kind, (before, after) => {
        for (const key of keysFor(before, after)) {
          if (settle === undefined) this.queue.add(key);
          else this.queue.addAfter(key, settle);
        }
      });
    }
  }

  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await Promise.all(this.spec.watches.map(({ kind }) => this.watcher.synced(kind, signal)));
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    this.log.info("reconciling", { workers: this.spec.workers });
    await Promise.all(Array.from({ length: this.spec.workers }, () => this.work(signal)));
    this.queue.stop();
  }

  private async work(signal: AbortSignal): Promise<void> {
    for (;;) {
      let key: NamespacedName;
      try {
        key = await this.queue.take(signal);
      } catch {
        return;
      }
      await this.reconcile(key, signal);
      this.queue.done(key);
    }
  }

  private async reconcile(key: NamespacedName, signal: AbortSignal): Promise<void> {
    const { clock, deadline } = this.options;
    const log = this.log.with({ object: keyText(key), reconcile: ++this.reconciles });
    const start = clock.now();
    const through = this.metrics.started();
    const result = await withDeadline(clock, deadline, signal, async (limited): Promise<ReconcileResult> => {
      const action = await this.spec.reconciler.reconcile(key, { log, clock, signal: limited });
      this.queue.forget(key);
      if (action.kind === "awaitChange") return "success";
      this.queue.addAfter(key, action.delay);
      return "requeue_after";
    }).catch((error: unknown) => this.failed(key, error, log, signal));
    const took = clock.now().diff(start).as("seconds");
    through();
    this.metrics.ended(result, took);
    log.debug("reconciled", { result, seconds: took });
  }

  private failed(key: NamespacedName, error: unknown, log: Logger, signal: AbortSignal): ReconcileResult {
    if (error instanceof NamespaceTerminatingError) {
      this.queue.forget(key);
      return "success";
    }
    this.queue.retry(key);
    if (error instanceof ConflictError || signal.aborted) return "requeue";
    if (isOwnFault(error)) this.metrics.panicked();
    log.error("reconcile failed, will be retried", { error });
    return "error";
  }
}

/** Whether the program is wrong, rather than the world: what Go would panic at. */
function isOwnFault(error: unknown): boolean {
  const { name } = (error ?? {}) as { readonly name?: unknown };
  return name === "TypeError" || name === "RangeError" || name === "ReferenceError";
}
