import type { InCluster } from "../../common/cluster/connection.ts";
import { serve } from "../../registry/composition/serve.ts";
import { propertyName, serveOptions } from "../../registry/configuration/options.ts";
import { parseServeConfig, type ClusterIdentity } from "../../registry/configuration/serve-config.ts";

/** What a kubelet would tell a registry by mounts and variables. */
export interface PodPlace {
  readonly api: InCluster;
  readonly place: ClusterIdentity;
  readonly podName: string;
  /** The settings as they were when the pod started; they never change. */
  readonly mounted: string;
  readonly data: string;
}

/**
 * A registry as the pod of a ConnectedRegistry, without a node: the program of the image, but that it finds its
 * ServiceAccount's token where the only argument says, and serves in the clear on any port.
 */
const { data, ...cluster } = JSON.parse(process.argv[2] ?? "{}") as PodPlace;
const defaults = serveOptions.flatMap((option) =>
  "default" in option ? [[propertyName(option.name), option.default] as const] : [],
);
const config = parseServeConfig({
  ...Object.fromEntries(defaults),
  ...{ data, http: true, listen: "127.0.0.1:0", probes: "127.0.0.1:0" },
  cluster: `${cluster.place.namespace}/${cluster.place.name}`,
});
await serve(config, { kind: "cluster", ...cluster });
