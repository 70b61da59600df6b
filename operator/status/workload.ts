import { seconds } from "../../common/clock.ts";
import type { Ending } from "../../common/contract/ending.ts";
import type { Deployment, Pod } from "../api/kubernetes.ts";
import { endingOf, newestOf } from "./ending.ts";
import { WaitingError } from "./errors.ts";
import type { Reason } from "./reasons.ts";

const soon = { retryAfter: seconds(5) };
const unknown = "no reason given";
const imageFaults = ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"];
const startFaults = ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"];

/** Whether a pod of the present specification can serve. */
export function isRolledOut({ metadata, status }: Deployment): boolean {
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) > 0 &&
    (status?.readyReplicas ?? 0) > 0
  );
}

/** Says why a Deployment that is not rolled out is not. */
export function whyNotServing({ status }: Deployment, pods: readonly Pod[]): WaitingError {
  const pod = newestOf(pods);
  if (pod !== undefined) return waiting(...faultOf(pod));
  const refused = status?.conditions?.find((one) => one.type === "ReplicaFailure" && one.status === "True");
  if (refused === undefined) return waiting("Starting", "The registry's pod is being made.");
  return waiting("PodForbidden", `The registry's pod may not be made: ${refused.message ?? unknown}`);
}

function faultOf(pod: Pod): [Reason, string] {
  const { metadata, status } = pod;
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return ["Unschedulable", `No node takes the registry's pod: ${scheduled.message ?? unknown}`];
  }
  const container = status?.containerStatuses?.find(({ name }) => name === "registry");
  const why = container?.state?.waiting?.reason ?? "";
  if (imageFaults.includes(why)) {
    return ["ImagePullFailed", `The node cannot pull the registry's own image ${container?.image ?? ""}.`];
  }
  if (startFaults.includes(why)) {
    return ["PodNotStarting", `The container does not start: ${container?.state?.waiting?.message ?? why}`];
  }
  const ending = endingOf(pod);
  if (ending !== undefined) return ended(ending);
  const terminated = container?.state?.terminated ?? container?.lastState?.terminated;
  if (terminated !== undefined && container?.state?.running === undefined) {
    const cause =
      terminated.reason === "OOMKilled"
        ? "it used more memory than spec.resources allows"
        : `exit code ${terminated.exitCode}`;
    return ["PodCrashing", `The registry ends again and again: ${cause}.`];
  }
  if (status?.phase === "Failed") {
    return ["PodNotStarting", `The pod "${metadata.name}" failed: ${status.reason ?? unknown}.`];
  }
  return ["Starting", "The registry's pod starts."];
}

/** For whoever looks at the pod; of its volume another condition tells more. */
function ended({ code, holder }: Ending): [Reason, string] {
  switch (code) {
    case "AlreadyActivated": {
      const by = holder === undefined ? "" : `, "${holder}"`;
      return [
        "AlreadyActivated",
        `The registry is already activated by another instance${by}: only one is supported at any time.`,
      ];
    }
    case "ConfigurationInvalid":
      return ["ConfigurationInvalid", "The registry cannot use its settings or its certificate."];
    case "VolumeReadOnly":
    case "VolumeForbidden":
    case "VolumeUnsuitable":
    case "VolumeFull":
      return ["PodCrashing", "The registry ends again and again: it cannot use its volume."];
  }
}

function waiting(reason: Reason, fact: string): WaitingError {
  return new WaitingError(reason, fact, soon);
}
