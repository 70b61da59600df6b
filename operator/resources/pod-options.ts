import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import { labelsOf } from "./names.ts";

/** The user of the image. */
const user = 65532;

/** The labels and annotations of the registry's pod: its own win, since it is found by them. */
export function podMetadata({ metadata, spec }: ConnectedRegistry): object {
  const { podLabels, podAnnotations: annotations } = spec;
  return {
    labels: { ...podLabels, ...labelsOf(metadata.name) },
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Where the pod may run, and what it is worth there. */
export function schedulingOf({ spec }: ConnectedRegistry): object {
  const { nodeSelector, tolerations, affinity, topologySpreadConstraints, priorityClassName } = spec;
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(topologySpreadConstraints === undefined ? {} : { topologySpreadConstraints }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  };
}

/** As whom the pod runs. What Pod Security "restricted" wants is not for the spec to change. */
export function podSecurity({ spec }: ConnectedRegistry): object {
  return {
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    ...spec.podSecurityContext,
    runAsNonRoot: true,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  };
}
