import type { RandomBytes } from "../resources/passwords.ts";
import type { EventRecorder } from "../runtime/events.ts";
import type { KubeClient, KubeWatcher } from "../runtime/kube.ts";
import type { Limits } from "./limits.ts";

/** What our controllers work with. */
export interface ControllerDependencies {
  readonly client: KubeClient;
  readonly watcher: Pick<KubeWatcher, "index">;
  readonly events: EventRecorder;
  readonly randomBytes: RandomBytes;
  /** The image that registries run, with its tag or digest. */
  readonly registryImage: string;
  /** The operator's own namespace. */
  readonly namespace: string;
  /** Login servers of their own choice that nodes may be told to trust: hosts, or `*.` and a domain. */
  readonly nodeTrustHosts: readonly string[];
  readonly limits: Limits;
  /** Whether pull secrets may go into namespaces that accept them. */
  readonly publishPullSecrets: boolean;
}
