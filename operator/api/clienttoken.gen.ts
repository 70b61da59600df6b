// Generated from crds/clienttokens.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface ClientTokenSpec {
  /** What the token allows. */
  readonly scopeMapRef: {
    /** Name of a ScopeMap in this namespace. */
    readonly name: string;
  };
  /** A disabled token logs nobody in. Takes effect within seconds. */
  readonly status: "enabled" | "disabled";
  /** There are two, so that one can be replaced while the other is in use. */
  readonly passwords: {
    /** The first password. */
    readonly password1: {
      /** When it stops working. Default: never. */
      readonly expiry?: string;
    };
    /** The second password. */
    readonly password2: {
      /** When it stops working. Default: never. */
      readonly expiry?: string;
    };
  };
}

export interface ClientTokenStatus {
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
  /** Name of the Secret that holds the user name, the passwords, and a pull secret made of them. */
  readonly credentialsSecret?: string;
}

/** A user name with two passwords, for clients of the connected registries that refer to it. The passwords lie in the Secret <name>-credentials, which is also a pull secret. */
export interface ClientToken {
  readonly apiVersion: "connectedregistry.io/v1alpha1";
  readonly kind: "ClientToken";
  readonly metadata: ObjectMeta;
  readonly spec: ClientTokenSpec;
  readonly status?: ClientTokenStatus;
}

export const ClientTokenKind: Kind<ClientToken> = {
  apiVersion: "connectedregistry.io/v1alpha1",
  kind: "ClientToken",
  plural: "clienttokens",
  namespaced: true,
};
