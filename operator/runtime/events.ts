import type { Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { Kind, KubeClient, KubeObject } from "./kube.ts";
import { microTime } from "./micro-time.ts";

/** What happened to an object, as `kubectl describe` shows it. */
export interface Happening {
  readonly type: "Normal" | "Warning";
  /** One word in upper camel case, for machines. */
  readonly reason: string;
  /** What we were doing, in upper camel case. */
  readonly action: string;
  /** One sentence for people. No secrets; the same happening has the same sentence. */
  readonly note: string;
}

export interface EventRecorder {
  /** Never throws and never waits. */
  record(regarding: KubeObject, happening: Happening): void;
}

interface Event extends KubeObject, Happening {
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

export const EventKind: Kind<Event> = {
  apiVersion: "events.k8s.io/v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

export interface EventsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who reports, such as `connectedregistry.io/operator`. */
  readonly controller: string;
  readonly instance: string;
  /** Part of an event's name: never the same twice. */
  readonly newId: () => string;
  /**
   * Whether we act upon the cluster now. Who only waits to lead sees the same changes as the leader does, and leaves the
   * telling to it.
   */
  readonly acts: () => boolean;
}

/** The same happening within this time is the same event. */
const sameWithinMs = 10 * 60 * 1000;
const maxRemembered = 4096;
/** As many as a burst of objects has, each with a word or two. */
const maxPending = 4096;
const maxNote = 1024;

interface Remembered {
  readonly event: Event;
  readonly at: number;
  count: number;
}

/**
 * Writes events to the API server, in order, behind the caller's back.
 *
 * # Guarantees
 * - A happening that repeats itself is one event: its count is written when it has doubled, so that a flood of n costs
 *   about log n writes (T98).
 * - Of several that see the same happening, only the one that acts tells of it.
 * # Caveats
 * Events are best effort: one that cannot be written, or finds too many waiting, is dropped with a line in the log.
 */
export class ClusterEvents implements EventRecorder, Service {
  readonly name = "events";
  private readonly options: EventsOptions;
  private readonly remembered = new Map<string, Remembered>();
  private last: Promise<void> = Promise.resolve();
  private pending = 0;

  constructor(options: EventsOptions) {
    this.options = options;
  }

  ready(): boolean {
    return true;
  }

  /** Once told to stop, waits for what is still to be written. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve, { once: true });
      });
    }
    await this.last;
  }

  record(regarding: KubeObject, happening: Happening): void {
    if (!this.options.acts()) return;
    const { type, reason, action } = happening;
    const note =
      happening.note.length > maxNote ? `${happening.note.slice(0, maxNote - 1)}…` : happening.note;
    const id = JSON.stringify([regarding.metadata.uid, type, reason, action, note]);
    const now = this.options.clock.now();
    const known = this.remembered.get(id);
    if (known !== undefined && now.toMillis() - known.at < sameWithinMs) {
      known.count += 1;
      if (isPowerOfTwo(known.count)) this.write({ ...known.event, series: this.series(known.count) });
      return;
    }
    const event = this.eventOf(regarding, { type, reason, action, note });
    this.remember(id, { event, at: now.toMillis(), count: 1 });
    this.write(event);
  }

  private eventOf(regarding: KubeObject, happening: Happening): Event {
    const { clock, controller, instance, newId } = this.options;
    const { name, namespace, uid } = regarding.metadata;
    return {
      apiVersion: EventKind.apiVersion,
      kind: EventKind.kind,
      metadata: { name: `${name.slice(0, 200)}.${newId()}`, namespace: namespace ?? "default" },
      eventTime: microTime(clock.now()),
      reportingController: controller,
      reportingInstance: instance,
      regarding: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
      },
      ...happening,
    };
  }

  private series(count: number): NonNullable<Event["series"]> {
    return { count, lastObservedTime: microTime(this.options.clock.now()) };
  }

  private remember(id: string, happening: Remembered): void {
    this.remembered.delete(id);
    this.remembered.set(id, happening);
    // A map keeps its order: the first is the oldest.
    const [oldest] = this.remembered.keys();
    if (this.remembered.size > maxRemembered && oldest !== undefined) this.remembered.delete(oldest);
  }

  private write(event: Event): void {
    const { client, log } = this.options;
    const { reason, regarding } = event;
    if (this.pending >= maxPending) {
      log.warn("too many events wait, one is dropped", { reason, object: regarding.name });
      return;
    }
    this.pending += 1;
    this.last = this.last.then(async () => {
      try {
        if (event.series === undefined) await client.create(EventKind, event);
        else await client.apply(EventKind, event);
      } catch (error) {
        log.warn("an event could not be written", {
          reason,
          object: regarding.name,
          error: messageOf(error),
        });
      } finally {
        this.pending -= 1;
      }
    });
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}
