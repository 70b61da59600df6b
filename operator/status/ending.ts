import { parseEnding, type Ending, type EndingCode } from "../../common/contract/ending.ts";
import type { Pod } from "../api/kubernetes.ts";
import { StalledError } from "./errors.ts";
import type { Reason } from "./reasons.ts";

const ofVolume: Readonly<Partial<Record<EndingCode, readonly [Reason, string]>>> = {
  VolumeReadOnly: ["VolumeReadOnly", "is mounted read-only"],
  VolumeForbidden: ["VolumeForbidden", "does not let the registry write"],
  VolumeUnsuitable: ["VolumeUnsuitable", "has a file system that cannot hold a database"],
  VolumeFull: ["VolumeFull", "is full: the registry cannot start. Make room, or give it more"],
};

/** The registry's newest pod. */
export function newestOf(pods: readonly Pod[]): Pod | undefined {
  return pods
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((a, b) =>
      (a.metadata.creationTimestamp ?? "") < (b.metadata.creationTimestamp ?? "") ? 1 : -1,
    )[0];
}

/** Why the program ended the last time. It counts until the program is ready: it may be about to end so again. */
export function endingOf(pod: Pod): Ending | undefined {
  const container = pod.status?.containerStatuses?.find(({ name }) => name === "registry");
  if (container === undefined || container.ready === true) return undefined;
  const { message } = container.state?.terminated ?? container.lastState?.terminated ?? {};
  return message === undefined ? undefined : parseEnding(message);
}

/** What the end of the program says of its volume; `undefined`: nothing. */
export function volumeFaultOf(pods: readonly Pod[], claim: string): StalledError | undefined {
  const pod = newestOf(pods);
  const ending = pod === undefined ? undefined : endingOf(pod);
  const [reason, fact] = (ending === undefined ? undefined : ofVolume[ending.code]) ?? [];
  if (reason === undefined) return undefined;
  return new StalledError(reason, `The volume of the PersistentVolumeClaim "${claim}" ${fact}.`);
}
