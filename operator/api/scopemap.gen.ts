// Generated from crds/scopemaps.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface ScopeMapSpec {
  /** What this scope map is for. */
  readonly description?: string;
  /** What is allowed, each as repositories/<name>/<action> with one of the actions content/read, content/write, content/delete, metadata/read and metadata/write. The name is a repository, a path that ends with /* (all below it), or * (all). They add up. */
  readonly actions: readonly string[];
}

export interface ScopeMapStatus {
  /** What the conditions come to, in Azure's words. */
  readonly provisioningState?: "Creating" | "Updating" | "Deleting" | "Succeeded" | "Failed";
  /** The generation of the spec that the conditions speak of. */
  readonly observedGeneration?: number;
  /** What was found, one aspect each. */
  readonly conditions?: readonly {
    /** The aspect. */
    readonly type: string;
    /** Whether it holds. */
    readonly status: "True" | "False" | "Unknown";
    /** A word for why, the same as long as the cause is the same. */
    readonly reason: string;
    /** A sentence for people; if something is wrong, with the next step. */
    readonly message: string;
    /** When the status last changed. */
    readonly lastTransitionTime: string;
    /** The generation of the spec that this condition speaks of. */
    readonly observedGeneration?: number;
  }[];
}

/** A named list of what may be done with which repositories. Client tokens refer to it. */
export interface ScopeMap {
  readonly apiVersion: "connectedregistry.io/v1alpha1";
  readonly kind: "ScopeMap";
  readonly metadata: ObjectMeta;
  readonly spec: ScopeMapSpec;
  readonly status?: ScopeMapStatus;
}

export const ScopeMapKind: Kind<ScopeMap> = {
  apiVersion: "connectedregistry.io/v1alpha1",
  kind: "ScopeMap",
  plural: "scopemaps",
  namespaced: true,
};
