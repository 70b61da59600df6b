import type { Crane } from "../harness/crane.ts";
import type { Kubectl } from "../harness/kubectl.ts";
import type { ParentSite } from "../harness/parent.ts";
import type { Link } from "../cluster/link.ts";
import type { SampleImages } from "./images.ts";

/** Where the story plays: a cluster at the edge, a parent registry at another site, and the link between them. */
export interface World {
  readonly kubectl: Kubectl;
  /** Runs `helm` against the cluster. */
  helm(args: readonly string[]): Promise<string>;
  readonly parent: ParentSite;
  readonly link: Link;
  /** `crane` at headquarters: pushes to the parent by a way of its own, whatever the link to the edge does. */
  readonly headquarters: Crane;
  /** A `crane` at the edge, with this `config.json` and trust in `caPem`. */
  craneAtEdge(dockerConfig: string, caPem: string): Promise<Crane>;
  readonly images: SampleImages;
  /** Our image, as the node has it. */
  readonly image: string;
  /** Makes the node forget an image of the connected registry, so that it has to be pulled (again). */
  forget(image: string): Promise<void>;
  /** The checkout: the chart and the samples are used as they lie there. */
  readonly root: string;
}

/** One step of the story: it does something and checks that it came true, or throws. */
export interface Chapter {
  readonly title: string;
  /** @param say tells what is going on, in a few words */
  run(world: World, say: (detail: string) => void): Promise<void>;
}

/** The names that the samples use. */
export const names = {
  release: "connected-registry",
  systemNamespace: "connected-registry-system",
  namespace: "edge",
  registry: "contoso-edge",
  token: "edge-puller",
  parentCredentials: "contoso-parent",
  parentCa: "contoso-parent-ca",
  pullSecret: "edge-puller-credentials",
  loginServer: "contoso-edge.edge.svc.cluster.local",
} as const;

/** Fails the chapter with what was seen. */
export function check(holds: boolean, expectation: string, seen: unknown): void {
  if (!holds)
    throw new Error(`expected ${expectation}, saw ${typeof seen === "string" ? seen : JSON.stringify(seen)}`);
}
