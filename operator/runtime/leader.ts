import { seconds, type Clock } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import { runServices, type Service } from "../../common/service.ts";
import { ConflictError, type Kind, type KubeClient, type KubeObject, type NamespacedName } from "./kube.ts";
import { microTime } from "./micro-time.ts";

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export const LeaseKind: Kind<Lease> = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};

/** We did not renew the Lease in time: another may lead by now. The program must end. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

export interface LeaderElectionOptions {
  /** Reads from the API server, not from a cache. */
  readonly client: KubeClient;
  readonly lease: NamespacedName;
  /** Ours alone: no other process, nor this one after a restart, has it. */
  readonly identity: string;
  /**
   * The pod that we run in, where that is certain: whoever else holds the Lease as `<pod>_…` was a container of it that
   * has ended, since a pod runs one of us at a time.
   */
  readonly pod?: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What only the leader may run. */
  readonly services: readonly Service[];
  /** Told when we begin and cease to lead. */
  readonly onChange: (leads: boolean) => void;
  /** Told when a renewal fails and is tried again. */
  readonly onSlow?: () => void;
}

/** As controller-runtime has them. The leader gives up well before others may follow. */
const leaseSeconds = 15;
const renewDeadlineMs = 10_000;
const retryPeriod = seconds(2);

/**
 * Runs `services` while we hold a Lease.
 *
 * # Guarantees
 * - Two that use the same Lease do not lead at once, however wrong their clocks are, as long as these run equally fast
 *   and `services` stop within 5 s of being told.
 * - Told to stop, it stops the services and then gives the Lease up, so that the next leads within about 2 s.
 * - One that was killed leads again as soon as its pod has started it anew.
 * - A Lease that was not renewed for 10 s, or was taken from us, stops the services and rejects.
 */
export class LeaderElection implements Service {
  readonly name = "leader election";
  private readonly options: LeaderElectionOptions;

  constructor(options: LeaderElectionOptions) {
    this.options = options;
  }

  /** Also while another leads: waiting is all that is asked of us then. */
  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { log, services, onChange } = this.options;
    onChange(false);
    const acquired = await this.acquire(signal);
    if (acquired === undefined) return;
    log.info("leading", { identity: this.options.identity });
    onChange(true);
    const lost = new AbortController();
    const done = new AbortController();
    const renewing = this.renew(acquired, done.signal, lost);
    try {
      await runServices(services, AbortSignal.any([signal, lost.signal]), log);
    } finally {
      done.abort();
      const last = await renewing;
      onChange(false);
      if (!lost.signal.aborted) await this.release(last);
    }
    if (lost.signal.aborted) throw lost.signal.reason;
  }

  private async acquire(signal: AbortSignal): Promise<Lease | undefined> {
    const { client, clock, lease: key, identity, log } = this.options;
    let observed: { readonly version: string | undefined; readonly at: number } | undefined;
    let holder: string | undefined;
    while (!isAborted(signal)) {
      try {
        const lease = await client.get(LeaseKind, key);
        const version = lease?.metadata.resourceVersion;
        // Its own times are of another's clock: what counts is how long we saw it unchanged.
        if (observed?.version !== version) observed = { version, at: clock.now().toMillis() };
        const unchanged = clock.now().toMillis() - (observed?.at ?? 0);
        if (lease === undefined || isFree(lease, unchanged) || this.isPredecessors(lease)) {
          const taken = await this.take(lease);
          if (taken !== undefined) return taken;
        } else if (lease.spec?.holderIdentity !== holder) {
          holder = lease.spec?.holderIdentity;
          log.info("waiting to lead", { identity, leader: holder });
        }
      } catch (error) {
        if (!(error instanceof ConflictError))
          log.warn("cannot read or take the Lease, trying again", { error: messageOf(error) });
      }
      await clock.sleep(retryPeriod, signal).catch(() => undefined);
    }
    return undefined;
  }

  /** Whether it is held by one who ran in our own pod before us. */
  private isPredecessors({ spec }: Lease): boolean {
    const { pod } = this.options;
    return pod !== undefined && spec?.holderIdentity?.startsWith(`${pod}_`) === true;
  }

  private async take(lease: Lease | undefined): Promise<Lease | undefined> {
    const { client, clock } = this.options;
    const now = microTime(clock.now());
    const leaseTransitions = lease === undefined ? 0 : (lease.spec?.leaseTransitions ?? 0) + 1;
    const ours = this.held({ acquireTime: now, renewTime: now, leaseTransitions }, lease);
    return lease === undefined ? await client.create(LeaseKind, ours) : await client.apply(LeaseKind, ours);
  }

  /** Resolves with the Lease as it is last known, once `done` aborts or it is lost. */
  private async renew(acquired: Lease, done: AbortSignal, lost: AbortController): Promise<Lease> {
    const { client, clock, log, identity } = this.options;
    let lease = acquired;
    let renewed = clock.now().toMillis();
    for (;;) {
      await clock.sleep(retryPeriod, done).catch(() => undefined);
      if (done.aborted) return lease;
      const at = clock.now().toMillis();
      const left = renewed + renewDeadlineMs - at;
      try {
        if (left <= 0) throw new LeadershipLostError("the Lease was not renewed in time");
        const renewal = client.apply(
          LeaseKind,
          this.held({ ...lease.spec, renewTime: microTime(clock.now()) }, lease),
        );
        lease = await within(clock, left, renewal, done);
        renewed = at;
      } catch (error) {
        if (isAborted(done)) return lease;
        if (error instanceof ConflictError) {
          const now = await client.get(LeaseKind, this.options.lease).catch(() => undefined);
          if (now?.spec?.holderIdentity === identity) lease = now;
          else if (now !== undefined) error = new LeadershipLostError(`${holderOf(now)} has taken the Lease`);
        }
        if (error instanceof LeadershipLostError) {
          lost.abort(error);
          return lease;
        }
        this.options.onSlow?.();
        log.warn("cannot renew the Lease, trying again", { error: messageOf(error) });
      }
    }
  }

  private async release(lease: Lease): Promise<void> {
    const { client, clock, log } = this.options;
    const spec = {
      ...lease.spec,
      holderIdentity: "",
      leaseDurationSeconds: 1,
      renewTime: microTime(clock.now()),
    };
    try {
      await client.apply(LeaseKind, this.held(spec, lease));
      log.info("gave up leading");
    } catch (error) {
      log.warn("could not give the Lease up; the next leader waits until it has run out", {
        error: messageOf(error),
      });
    }
  }

  /** The Lease with `spec`, ours unless `spec` says otherwise, to be applied only to `lease` as it was read. */
  private held(spec: Lease["spec"], lease: Lease | undefined): Lease {
    const { namespace, name } = this.options.lease;
    const version = lease?.metadata.resourceVersion;
    return {
      apiVersion: LeaseKind.apiVersion,
      kind: LeaseKind.kind,
      metadata: { namespace, name, ...(version === undefined ? {} : { resourceVersion: version }) },
      spec: { holderIdentity: this.options.identity, leaseDurationSeconds: leaseSeconds, ...spec },
    };
  }
}

function isFree({ spec }: Lease, unchangedMs: number): boolean {
  if (spec?.holderIdentity === undefined || spec.holderIdentity === "") return true;
  return unchangedMs >= (spec.leaseDurationSeconds ?? leaseSeconds) * 1000;
}

function holderOf({ spec }: Lease): string {
  return spec?.holderIdentity ?? "nobody";
}

async function within<T>(clock: Clock, ms: number, work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stop = new AbortController();
  const late = clock
    .sleep(seconds(ms / 1000), AbortSignal.any([signal, stop.signal]))
    .then<never>(() => Promise.reject(new LeadershipLostError("the Lease was not renewed in time")));
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

/** A function, because the compiler takes a property that it has read once for settled. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
