import { Duration } from "luxon";

/** Aspects of an object's state. The first three are on every object, in the sense of kstatus. */
export const conditionTypes = [
  "Ready",
  "Reconciling",
  "Stalled",
  "ParentConfigured",
  "SyncConfigured",
  "ClientTokensReady",
  "TLSReady",
  "NodeTrust",
  "Exposed",
  "StorageReady",
  "Available",
  "ParentReachable",
  "Synced",
  "PullSecretPublished",
] as const;
export type ConditionType = (typeof conditionTypes)[number];

type OurKind = "ConnectedRegistry" | "SyncPolicy" | "ScopeMap" | "ClientToken";

interface ReasonSpec {
  /** Whose conditions give this reason. */
  readonly kinds: readonly OurKind[];
  /** The condition that the reason explains, beside Ready, Reconciling and Stalled, which repeat the worst. */
  readonly condition: ConditionType;
  /**
   * What the user should do. Ends every message about a fault; empty where there is nothing to do. `<name>` and
   * `<namespace>` are the object's, so that a command can be pasted.
   */
  readonly remedy: string;
  /** Minutes that it may take without being worth a Warning; one, if absent. */
  readonly patience?: number;
  /** The registry's own sentence is the fact, and has the next step: the remedy is for the documents. */
  readonly told?: true;
}

const all = ["ConnectedRegistry", "SyncPolicy", "ScopeMap", "ClientToken"] as const;
const registry = ["ConnectedRegistry"] as const;
const debugPod =
  "Look at the pod: kubectl describe pod --namespace <namespace> -l app.kubernetes.io/instance=<name>.";

/** Every reason that a condition of ours gives. Reasons are API: people write alerts on them. */
export const reasons = {
  // Whatever the kind
  Ready: { kinds: ["ConnectedRegistry"], condition: "Ready", remedy: "" },
  Settled: { kinds: all, condition: "Reconciling", remedy: "" },
  NotStalled: { kinds: all, condition: "Stalled", remedy: "" },
  Retrying: {
    kinds: all,
    condition: "Reconciling",
    remedy: "It is tried again by itself; the operator's log has the details.",
  },
  Rejected: {
    kinds: ["ConnectedRegistry", "ClientToken"],
    condition: "Ready",
    remedy: "Correct what the API server objects to.",
  },
  NameTaken: {
    kinds: ["ConnectedRegistry", "ClientToken"],
    condition: "Ready",
    remedy: "Delete that object, or use another name for this one.",
  },
  Terminating: {
    kinds: ["ConnectedRegistry", "ClientToken"],
    condition: "Ready",
    remedy: "Wait until it is gone; a volume goes once no pod uses it.",
    patience: 10,
  },
  NotReached: {
    kinds: registry,
    condition: "Ready",
    remedy: "Attend to the condition that is False first.",
  },

  // ConnectedRegistry
  HasChildren: {
    kinds: registry,
    condition: "Ready",
    remedy: "Delete its children, or give them another parent.",
  },
  UnsentChanges: {
    kinds: registry,
    condition: "Ready",
    remedy:
      "Wait until they are up, or give them up: " +
      "kubectl annotate creg --namespace <namespace> <name> connectedregistry.io/give-up-changes=yes.",
    patience: 10,
  },
  Suspended: { kinds: registry, condition: "Ready", remedy: "Set spec.suspend to false to sync again." },
  Configured: { kinds: registry, condition: "ParentConfigured", remedy: "" },
  NoParent: { kinds: registry, condition: "ParentConfigured", remedy: "" },
  ParentSecretNotFound: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Create the Secret, or correct credentialsSecretRef in spec.parent.registry, or in its proxy.",
  },
  ParentSecretInvalid: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy:
      "Use type kubernetes.io/basic-auth with the keys username and password, " +
      "or kubernetes.io/dockerconfigjson with an entry for the parent's login server.",
  },
  ParentCaNotFound: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Create the Secret, or correct spec.parent.registry.caBundleRef.",
  },
  ParentCaInvalid: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Put the certificates there in PEM, or correct the key.",
  },
  ParentNotFound: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Create it, or correct spec.parent.connectedRegistryRef.",
  },
  ParentNotAllowed: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Create it, or have its owner add this namespace to its spec.children.allowedNamespaces.",
  },
  ParentNotReady: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Wait until the parent is ready: its own conditions say what it lacks.",
    patience: 10,
  },
  ParentDeleting: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Give this registry another parent, or delete it.",
  },
  ParentReadOnly: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Set spec.mode to ReadOnly, or the parent's to ReadWrite.",
  },
  ParentCycle: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Give one of them another parent.",
  },
  HierarchyNameTaken: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Delete one of the two, or use another name.",
  },
  HierarchyFull: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy:
      "Delete one, or have an administrator raise limits.registriesPerHierarchy of the Helm chart (--max-registries-per-hierarchy of the operator).",
  },
  SyncTokenNameTaken: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Delete that ClientToken, or use another name for this registry.",
  },
  SyncTokenDisabled: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Set its spec.status to enabled to sync again; clients are served what is here.",
  },
  SyncTokenExpired: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Move an expiry in its spec.passwords into the future.",
  },
  SyncScopeMapNotFound: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Create it, or correct spec.parent.scopeMapRef. Until then the sync token allows nothing.",
  },
  SyncScopeTooLarge: {
    kinds: registry,
    condition: "ParentConfigured",
    remedy: "Use patterns such as apps/* in the SyncPolicies. Until then the token allows what it last did.",
  },
  PolicyAccepted: { kinds: registry, condition: "SyncConfigured", remedy: "" },
  CatalogUnavailable: {
    kinds: registry,
    condition: "SyncConfigured",
    remedy: "Name the repositories in the SyncPolicy; what it names is synced meanwhile.",
  },
  SyncScopeNarrowed: {
    kinds: registry,
    condition: "SyncConfigured",
    remedy:
      "Name them in the ScopeMaps that bound it: in spec.parent here and above, or in spec.children of a parent.",
  },
  NoPolicy: {
    kinds: registry,
    condition: "SyncConfigured",
    remedy: "Set spec.syncPolicyRef to sync something.",
  },
  SyncPolicyNotFound: {
    kinds: registry,
    condition: "SyncConfigured",
    remedy: "Create the SyncPolicy, or correct spec.syncPolicyRef.",
  },
  SyncPolicyInvalid: {
    kinds: registry,
    condition: "SyncConfigured",
    remedy: "Correct the SyncPolicy; until then the last good one stays in force.",
  },
  TokensIssued: { kinds: registry, condition: "ClientTokensReady", remedy: "" },
  NoTokens: {
    kinds: registry,
    condition: "ClientTokensReady",
    remedy: "Set spec.clientTokenRefs to let somebody in.",
  },
  ClientTokenNotFound: {
    kinds: registry,
    condition: "ClientTokensReady",
    remedy: "Create the ClientToken, or correct spec.clientTokenRefs. Until then nobody can log in with it.",
  },
  ClientTokenNotReady: {
    kinds: registry,
    condition: "ClientTokensReady",
    remedy: "Their own conditions say why: kubectl describe clienttokens --namespace <namespace>.",
  },
  CertificateIssued: { kinds: registry, condition: "TLSReady", remedy: "" },
  AddressPending: {
    kinds: registry,
    condition: "TLSReady",
    remedy: "Wait until the cluster has given the Service an address.",
    patience: 10,
  },
  CertificateAccepted: { kinds: registry, condition: "TLSReady", remedy: "" },
  TLSDisabled: {
    kinds: registry,
    condition: "TLSReady",
    remedy: "Set spec.tls.source to Generated to have certificates made.",
  },
  CertificateSecretNotFound: {
    kinds: registry,
    condition: "TLSReady",
    remedy:
      "Create the Secret, or correct spec.tls.secretRef. Until then the last good certificate stays in use.",
  },
  CertificateInvalid: {
    kinds: registry,
    condition: "TLSReady",
    remedy:
      "Give tls.crt and tls.key in PEM, as in a Secret of type kubernetes.io/tls, the key without a passphrase. " +
      "Until then the last good certificate stays in use.",
  },
  CertificateNameMissing: {
    kinds: registry,
    condition: "TLSReady",
    remedy:
      "Have it issued for that name, or set spec.service.loginServer to a name that it has. " +
      "Until then the last good certificate stays in use.",
  },
  CertificateExpired: {
    kinds: registry,
    condition: "TLSReady",
    remedy: "Put a new certificate in its place.",
  },
  CertificateExpiring: {
    kinds: registry,
    condition: "TLSReady",
    remedy: "Put a new certificate in its place before that.",
  },
  TrustDistributed: { kinds: registry, condition: "NodeTrust", remedy: "" },
  TrustDisabled: {
    kinds: registry,
    condition: "NodeTrust",
    remedy: "Give the nodes the certificate authority yourself: it is ca.crt in the Secret <name>-tls.",
  },
  AddressNotInCertificate: {
    kinds: registry,
    condition: "NodeTrust",
    remedy:
      "Have it issued for that address, too (spec.service.clusterIP fixes it), or set spec.service.loginServer to a name " +
      "that it has and that nodes find.",
  },
  LoginServerNotAllowed: {
    kinds: registry,
    condition: "NodeTrust",
    remedy:
      "Have an administrator add it to trustDistribution.allowedLoginServers of the Helm chart (--node-trust-hosts of " +
      "the operator), or configure the nodes yourself.",
  },
  ClusterOnly: { kinds: registry, condition: "Exposed", remedy: "" },
  NodePortAssigned: { kinds: registry, condition: "Exposed", remedy: "" },
  AddressAssigned: { kinds: registry, condition: "Exposed", remedy: "" },
  LoadBalancerPending: {
    kinds: registry,
    condition: "Exposed",
    remedy:
      "See what it waits for: kubectl describe service --namespace <namespace> <name>. Without a load balancer for " +
      "spec.service.loadBalancerClass in the cluster, use another spec.service.type.",
    patience: 10,
  },
  VolumeBound: { kinds: registry, condition: "StorageReady", remedy: "" },
  ContentRulesInvalid: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Correct the schedule in spec.garbageCollection or spec.scrub (five fields of cron, such as 0 3 * * * for every day at three).",
  },
  VolumePending: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "See what it waits for: kubectl describe pvc --namespace <namespace>.",
    patience: 10,
  },
  VolumeLost: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Restore the PersistentVolume, or delete the claim to begin with an empty one.",
  },
  NoStorageClass: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Set spec.storage.storageClassName, mark a storage class as default, or make a PersistentVolume.",
  },
  StorageClassNotFound: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Create the storage class, or make a new ConnectedRegistry with another spec.storage.storageClassName.",
  },
  VolumeNotExpandable: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Set allowVolumeExpansion in the storage class if its volumes can grow, or make a new ConnectedRegistry with another. " +
      "Until then the registry stores what the volume holds.",
  },
  VolumeResizing: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Wait until it is done; the registry serves meanwhile.",
    patience: 30,
  },
  VolumeResizeFailed: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "See what its storage system says: kubectl describe pvc --namespace <namespace>.",
  },
  VolumeDiffers: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Make a new ConnectedRegistry with what the volume has, or delete the claim, with all that it holds, to begin with an empty one.",
  },
  VolumeOfAnother: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Use that parent, make a new ConnectedRegistry of another name, or delete the claim with its content. To take it over all the same: kubectl annotate creg --namespace <namespace> <name> connectedregistry.io/take-over-volume=UID, with that uid.",
  },
  ClaimNotFound: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Create the claim, or make a new ConnectedRegistry with another spec.storage.existingClaim.",
  },
  ClaimUnsuitable: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Make the claim anew with a file system that can be written (volumeMode Filesystem).",
  },
  ClaimShared: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "A volume is for one registry: give this one another spec.storage.existingClaim by making it anew.",
  },
  VolumeReadOnly: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Have it mounted for writing (a disk that failed is often mounted again without), then the registry starts by itself.",
  },
  VolumeForbidden: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Let user 65532 write to the volume and all that is on it: fsGroup does nothing for directories of a node or of an NFS server.",
  },
  VolumeUnsuitable: {
    kinds: registry,
    condition: "StorageReady",
    remedy:
      "Keep the content on a disk, or mount the network storage so that it keeps locks (NFS: not with nolock; SMB: with nobrl).",
  },
  Serving: { kinds: registry, condition: "Available", remedy: "" },
  Starting: {
    kinds: registry,
    condition: "Available",
    remedy: "Wait until the registry is ready.",
    patience: 10,
  },
  Silent: {
    kinds: registry,
    condition: "Available",
    remedy:
      "See whether it runs and reaches the API server: kubectl logs --namespace <namespace> deployment/<name>.",
  },
  Unschedulable: {
    kinds: registry,
    condition: "Available",
    remedy: "Make room or change spec.resources, spec.nodeSelector or spec.tolerations.",
  },
  ImagePullFailed: {
    kinds: registry,
    condition: "Available",
    remedy: "Make the registry's own image available to the nodes, or set spec.imagePullSecrets.",
  },
  PodCrashing: {
    kinds: registry,
    condition: "Available",
    remedy: "See why: kubectl logs --namespace <namespace> deployment/<name> --previous.",
  },
  AlreadyActivated: {
    kinds: registry,
    condition: "Available",
    remedy: "Stop the other instance: this one then starts by itself.",
  },
  ConfigurationInvalid: {
    kinds: registry,
    condition: "Available",
    remedy:
      "See what it objects to: kubectl logs --namespace <namespace> deployment/<name> --previous. Operator and registry should be of one version.",
  },
  PodNotStarting: { kinds: registry, condition: "Available", remedy: debugPod },
  PriorityClassNotFound: {
    kinds: registry,
    condition: "Ready",
    remedy: "Create the PriorityClass, or correct spec.priorityClassName. Until then the pod stays as it is.",
  },
  PodForbidden: {
    kinds: registry,
    condition: "Available",
    remedy: "Change the quota or the policy that forbids it.",
  },

  // ConnectedRegistry, by the registry's own words
  VolumeFull: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "Delete content, select less, or raise spec.storage.size.",
    told: true,
  },
  ContentDamaged: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "It is fetched again from the parent, or pushed again by clients; look after the volume.",
    told: true,
  },
  DatabaseReplaced: {
    kinds: registry,
    condition: "StorageReady",
    remedy: "See statusDetails for what is in force instead.",
    told: true,
  },
  ParentNotNeeded: { kinds: registry, condition: "ParentReachable", remedy: "" },
  ParentAnswers: { kinds: registry, condition: "ParentReachable", remedy: "" },
  ParentNotAsked: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "Wait until the registry has asked it.",
  },
  ParentUnreachable: {
    kinds: registry,
    condition: "ParentReachable",
    remedy:
      "The registry serves what it has, and goes on by itself; if it lasts, correct spec.parent, or the network.",
    told: true,
  },
  ParentUnauthorized: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "Put the right user name and password into the parent's credentials Secret.",
    told: true,
  },
  ParentUntrusted: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "Put the authority that signed the parent's certificate into its CA bundle.",
    told: true,
  },
  ParentAddressRefused: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "Name another parent, token service or proxy.",
    told: true,
  },
  ParentNoRegistry: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "Correct spec.parent.registry.loginServer and its port.",
    told: true,
  },
  ParentLimits: {
    kinds: registry,
    condition: "ParentReachable",
    remedy: "The sync goes on when the parent allows it; a longer poll interval helps.",
    told: true,
  },
  NothingToSync: { kinds: registry, condition: "Synced", remedy: "" },
  NotYetSynced: {
    kinds: registry,
    condition: "Synced",
    remedy: "Wait for the first sync to end.",
  },
  Synced: { kinds: registry, condition: "Synced", remedy: "" },
  SyncUnfinished: {
    kinds: registry,
    condition: "Synced",
    remedy: "It goes on by itself: see status.sync.nextTime.",
  },
  SyncPartial: {
    kinds: registry,
    condition: "Synced",
    remedy: "See which, and why, in status.sync.failures.",
  },
  SyncFailed: {
    kinds: registry,
    condition: "Synced",
    remedy: "See why in status.sync and status.statusDetails.",
  },
  ParentDenied: {
    kinds: registry,
    condition: "Synced",
    remedy: "Grant the parent's credentials the right to read what is selected, or select less.",
    told: true,
  },
  ChangesRefused: {
    kinds: registry,
    condition: "Synced",
    remedy: "See status.up.setAsideItems.",
    told: true,
  },
  PruneHeldBack: {
    kinds: registry,
    condition: "Synced",
    remedy: "See whether the SyncPolicy says what it should.",
    told: true,
  },

  // SyncPolicy
  Valid: { kinds: ["SyncPolicy", "ScopeMap"], condition: "Ready", remedy: "" },
  InvalidSchedule: {
    kinds: ["SyncPolicy"],
    condition: "Ready",
    remedy:
      "Correct spec.schedule and spec.windows (five fields of cron, such as 0 2 * * * for every day at two) or spec.blackouts (dates that there are, in their order).",
  },
  InvalidTimeZone: {
    kinds: ["SyncPolicy"],
    condition: "Ready",
    remedy: "Give an IANA name in spec.timeZone, such as Europe/Berlin.",
  },
  InvalidSelection: {
    kinds: ["SyncPolicy"],
    condition: "Ready",
    remedy: "Correct spec.repositories.",
  },

  // ScopeMap
  InvalidAction: {
    kinds: ["ScopeMap"],
    condition: "Ready",
    remedy: "Correct spec.actions.",
  },
  TooManyScopeMaps: {
    kinds: ["ScopeMap"],
    condition: "Ready",
    remedy:
      "Delete ScopeMaps that nobody needs, or have an administrator raise limits.scopeMaps of the Helm chart (--max-scope-maps of the operator). Until then it allows nothing.",
  },

  // ClientToken
  Issued: { kinds: ["ClientToken"], condition: "Ready", remedy: "" },
  Disabled: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Set spec.status to enabled to let it log in again.",
  },
  PasswordExpired: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Move an expiry into the future.",
  },
  ScopeMapNotFound: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Create the ScopeMap, or correct spec.scopeMapRef. Until then the token allows nothing.",
  },
  ScopeMapNotReady: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Delete ScopeMaps that nobody needs. Until then the token allows nothing.",
  },
  TooManyTokens: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy:
      "Delete ClientTokens that nobody needs, or have an administrator raise limits.clientTokens of the Helm chart (--max-client-tokens of the operator).",
  },
  NoPasswords: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Set enabled of a password in spec.passwords to true to let it log in.",
  },
  RotationRefused: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Change the password in its Secret, and remove the annotation.",
  },
  PasswordSecretNotFound: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy:
      "Create the Secret, or correct spec.passwords. Until then the password stays as it was, if there was one.",
  },
  PasswordInvalid: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy:
      "Put 12 to 256 printable characters there. Until then the password stays as it was, if there was one.",
  },
  PasswordsEqual: {
    kinds: ["ClientToken"],
    condition: "Ready",
    remedy: "Use two different passwords, or set enabled of one to false.",
  },
  Published: { kinds: ["ClientToken"], condition: "PullSecretPublished", remedy: "" },
  NotPublished: { kinds: ["ClientToken"], condition: "PullSecretPublished", remedy: "" },
  PublishNotAccepted: {
    kinds: ["ClientToken"],
    condition: "PullSecretPublished",
    remedy: "Label them connectedregistry.io/accept-pull-secrets=true, or correct spec.publish.",
  },
  PublishConflict: {
    kinds: ["ClientToken"],
    condition: "PullSecretPublished",
    remedy:
      "If a Secret of that name is somebody else's there, delete it or set spec.publish.secretName; otherwise see what forbids it.",
  },
  PublishDisabled: {
    kinds: ["ClientToken"],
    condition: "PullSecretPublished",
    remedy:
      "Have an administrator set pullSecrets.publish of the Helm chart (--publish-pull-secrets of the operator), or remove spec.publish.",
  },
} as const satisfies Readonly<Record<string, ReasonSpec>>;

export type Reason = keyof typeof reasons;

/** How long `reason` may take without being worth a Warning. */
export function patienceWith(reason: Reason): Duration {
  const { patience = 1 }: ReasonSpec = reasons[reason];
  return Duration.fromObject({ minutes: patience });
}

/** Whom a message is about. */
export interface Subject {
  readonly name: string;
  readonly namespace: string;
}

/** `fact` as a message: a sentence, with the remedy after it. */
export function messageFor(reason: Reason, fact: string, { name, namespace }: Subject): string {
  const { remedy: step, told }: ReasonSpec = reasons[reason];
  const remedy = told === true ? "" : step.replaceAll("<namespace>", namespace).replaceAll("<name>", name);
  const sentence = /[.!?]$/.test(fact) ? fact : `${fact}.`;
  return remedy === "" ? sentence : `${sentence} ${remedy}`;
}
