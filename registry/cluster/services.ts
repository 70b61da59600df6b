import type { Clock } from "../../common/clock.ts";
import type { ClusterApi } from "../../common/cluster/api.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import type { ClusterIdentity } from "../configuration/serve-config.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { StatusBoard } from "../sync/telling/board.ts";
import { ClusterConfiguration } from "./cluster-configuration.ts";
import type { KeptConfiguration } from "./kept-configuration.ts";
import { LeaseRenewal } from "./lease.ts";
import { StatusReporter, type VolumeMemory } from "./reporter.ts";

export interface PodParts {
  readonly api: ClusterApi;
  /** The ConnectedRegistry whose registry this is. */
  readonly place: ClusterIdentity;
  readonly podName: string;
  readonly live: LiveConfiguration;
  readonly kept: KeptConfiguration;
  readonly board: StatusBoard;
  readonly memory: VolumeMemory;
  readonly clock: Clock;
  /** In [0, 1), for jitter. */
  readonly random: () => number;
  readonly log: Logger;
}

/** What a registry does beside serving when it is the pod of a ConnectedRegistry. None of it is needed to serve. */
export function podServices(parts: PodParts): readonly Service[] {
  const { api, place, podName, live, kept, board, memory, clock, random, log } = parts;
  const reporter = new StatusReporter(api, place, board, memory, clock, random, log);
  const recovered = (): void => {
    reporter.refresh();
  };
  return [
    new ClusterConfiguration(api, place, live, kept, board, log),
    new LeaseRenewal(api, place, podName, clock, log, recovered),
    reporter,
  ];
}
