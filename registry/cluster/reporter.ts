import { exponential, type Backoff } from "../../common/backoff.ts";
import { seconds, type Clock } from "../../common/clock.ts";
import type { ClusterApi } from "../../common/cluster/api.ts";
import { ClusterError } from "../../common/cluster/errors.ts";
import { reporterFieldManager, type RegistryStatus } from "../../common/contract/status.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { ClusterIdentity } from "../configuration/serve-config.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import { Wakeable } from "../sync/wakeable.ts";

/** Never more often than this, whatever happens: many registries share one API server. */
const shortest = seconds(5);
/** As often at least: times move on, and whatever was lost at the API server comes back. */
const longest = seconds(60);
/** The Role may be a moment behind the pod. */
const maxRefusals = 3;
const apiVersion = "connectedregistry.io/v1alpha1";
/** How long the first report waits to know whether the parent is there. */
const patience = seconds(10);

/** What the status remembers of the registry's volume, for the case that an older state of it is put back. */
export interface VolumeMemory {
  /** To be remembered. */
  readonly count: number;
  /** What was remembered; `undefined`: nothing. */
  heard(count: number | undefined): Promise<void>;
}

/** Applies the board to the status of our ConnectedRegistry, when something has changed. */
export class StatusReporter implements Service {
  readonly name = "status reporter";
  private readonly api: ClusterApi;
  private readonly place: ClusterIdentity;
  private readonly board: StatusBoard;
  private readonly memory: VolumeMemory;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly sleeper: Wakeable;
  private readonly backoff: Backoff;
  private reported: string | undefined;

  constructor(
    api: ClusterApi,
    place: ClusterIdentity,
    board: StatusBoard,
    memory: VolumeMemory,
    clock: Clock,
    random: () => number,
    log: Logger,
  ) {
    this.api = api;
    this.place = place;
    this.board = board;
    this.memory = memory;
    this.clock = clock;
    this.log = log;
    this.sleeper = new Wakeable(clock);
    this.backoff = exponential(shortest, longest, random);
  }

  ready(): boolean {
    return true;
  }

  /** Reports again although nothing changed: somebody may have overwritten it while we were silent. */
  refresh(): void {
    this.reported = undefined;
    this.sleeper.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.board.subscribe(() => {
      this.sleeper.wake();
    });
    try {
      await this.recall(signal);
      const end = this.clock.now().plus(patience);
      while (this.board.contact === "unknown" && this.clock.now() < end) {
        await this.sleeper.sleep(patience, signal);
      }
      await this.report(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      unsubscribe();
    }
  }

  private async report(signal: AbortSignal): Promise<never> {
    let failures = 0;
    let last = this.clock.now().minus(longest);
    for (;;) {
      const status = { ...this.board.current, ...courseOf(this.memory) };
      const news = newsOf(status);
      if (news === this.reported && this.clock.now() < last.plus(longest)) {
        await this.sleeper.sleep(last.plus(longest).diff(this.clock.now()), signal);
        continue;
      }
      try {
        this.reported = news;
        last = this.clock.now();
        await this.apply(status, signal);
        if (failures > 0) this.log.info("the status can be reported again");
        failures = 0;
        await this.clock.sleep(shortest, signal);
      } catch (error) {
        signal.throwIfAborted();
        this.reported = undefined;
        failures += 1;
        if (failures === 1) this.log.warn("the status cannot be reported", { error: messageOf(error) });
        const wait = this.backoff(failures);
        // It may have been taken though we were not told.
        await this.clock.sleep(wait < shortest ? shortest : wait, signal);
      }
    }
  }

  /** Reads what was reported last, before that is lost by the first report. Waits for the API server: no report could be made. */
  private async recall(signal: AbortSignal): Promise<void> {
    for (let failures = 0; ;) {
      try {
        const object = await this.api.get<{ readonly status?: RegistryStatus }>(this.path, signal);
        await this.memory.heard(object?.status?.upCourse);
        return;
      } catch (error) {
        signal.throwIfAborted();
        failures += 1;
        if (failures === 1) this.log.warn("the last report cannot be read", { error: messageOf(error) });
        // An operator of the version before does not let us read it.
        if (error instanceof ClusterError && error.status === 403 && failures > maxRefusals) {
          await this.memory.heard(undefined);
          return;
        }
        await this.clock.sleep(this.backoff(failures), signal);
      }
    }
  }

  private apply(status: RegistryStatus, signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.place;
    const object = { apiVersion, kind: "ConnectedRegistry", metadata: { namespace, name }, status };
    return this.api.apply(`${this.path}/status`, reporterFieldManager, object, signal);
  }

  private get path(): string {
    const { namespace, name } = this.place;
    return `/apis/${apiVersion}/namespaces/${namespace}/connectedregistries/${name}`;
  }
}

function courseOf({ count }: VolumeMemory): Pick<RegistryStatus, "upCourse"> {
  return count === 0 ? {} : { upCourse: count };
}

/** What makes a report worth its request: all but the times and counts that move by themselves. */
function newsOf({
  connectionState,
  version,
  sync,
  postponed,
  link,
  up,
  upCourse,
  plan,
  drained,
  resync,
  statusDetails,
}: RegistryStatus): string {
  const { trigger, state, tags, message, failures } = sync ?? {};
  const faults = failures?.map(({ repository, tag, message: fault }) => [repository, tag, fault]);
  const progress = state === "Syncing" ? [sync?.bytes, sync?.bytesPlanned, sync?.repositories] : [];
  const { bytesPerSecond, quota } = link ?? {};
  const left = quota === undefined ? undefined : Math.ceil((100 * quota.left) / quota.bytes);
  const ofLink = [postponed, bytesPerSecond, quota?.bytes, quota?.period, left];
  const ofSync = [trigger, state, tags, message, faults, progress];
  const rest = [up, upCourse, plan, drained, resync];
  return JSON.stringify([connectionState, version, statusDetails, ...ofSync, ofLink, ...rest]);
}
