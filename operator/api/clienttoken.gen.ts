// Generated from crds/clienttokens.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface ClientTokenSpec {
  /** What the token allows; nothing, if absent. */
  readonly scopeMapRef?: {
    /** Name of a ScopeMap in this namespace. */
    readonly name: string;
  };
  /** A disabled token logs nobody in. Takes effect within seconds. */
  readonly status: "enabled" | "disabled";
  /** Other namespaces that get the pull secret. Each has to accept it, by the label connectedregistry.io/accept-pull-secrets=true; its annotation connectedregistry.io/accept-pull-secrets-from may name the namespaces from which. */
  readonly publish?: {
    /** Their names; * stands for all that accept it. */
    readonly namespaces: readonly string[];
    /** What the Secret is called there. Default: <name>-pull. */
    readonly secretName?: string;
  };
  /** There are two, so that one can be replaced while the other is in use. */
  readonly passwords: {
    /** The first password. It is generated, unless secretRef names another. */
    readonly password1: {
      /** Whether there is to be such a password. Enabled again, it is another one. */
      readonly enabled: boolean;
      /** When it stops working. Default: never. */
      readonly expiry?: string;
      /** Where to take it from, instead of generating it. */
      readonly secretRef?: {
        /** Name of a Secret in this namespace. */
        readonly name: string;
        /** The key of the Secret that holds it, 12 to 256 printable characters. */
        readonly key: string;
      };
    };
    /** The second password. It is generated, unless secretRef names another. */
    readonly password2: {
      /** Whether there is to be such a password. Enabled again, it is another one. */
      readonly enabled: boolean;
      /** When it stops working. Default: never. */
      readonly expiry?: string;
      /** Where to take it from, instead of generating it. */
      readonly secretRef?: {
        /** Name of a Secret in this namespace. */
        readonly name: string;
        /** The key of the Secret that holds it, 12 to 256 printable characters. */
        readonly key: string;
      };
    };
  };
}

export interface ClientTokenStatus {
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
  /** Name of the Secret that holds the user name, the passwords, and a pull secret made of them. */
  readonly credentialsSecret?: string;
  /** What is known of the passwords, and may be. */
  readonly passwords?: {
    /** The first. */
    readonly password1?: {
      /** When it was made, or taken from the Secret that the spec names. */
      readonly creationTime?: string;
      /** When it stops working, Never, or None where there is no such password. */
      readonly expiry: string;
      /** The last value of the annotation connectedregistry.io/rotate-password1 that was met. */
      readonly lastRotateRequest?: string;
    };
    /** The second. */
    readonly password2?: {
      /** When it was made, or taken from the Secret that the spec names. */
      readonly creationTime?: string;
      /** When it stops working, Never, or None where there is no such password. */
      readonly expiry: string;
      /** The last value of the annotation connectedregistry.io/rotate-password2 that was met. */
      readonly lastRotateRequest?: string;
    };
  };
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
