// Generated from crds/connectedregistries.yaml by "npm run generate"; not to be edited.
import type { Kind, ObjectMeta } from "../runtime/kube.ts";

export interface ConnectedRegistrySpec {
  /** Whether clients may push. ReadOnly: clients pull what was synced. ReadWrite: clients with the permission may also push and delete. */
  readonly mode: "ReadOnly" | "ReadWrite";
  /** Where content comes from. Exactly one source. Without a parent the registry is a root: it holds what clients push to it. */
  readonly parent?: {
    /** Another ConnectedRegistry of this cluster. The operator gives this one a sync token there, a ClientToken of the parent's namespace with the name of this registry, and tells it the parent's address, certificate authority and credentials. */
    readonly connectedRegistryRef?: {
      /** Name of the ConnectedRegistry. */
      readonly name: string;
      /** Its namespace, which has to let this one in (spec.children there). Default: this namespace. */
      readonly namespace?: string;
    };
    /** What the sync token allows at most, for this registry and all below it. Without it: what the SyncPolicies of this registry and those below it name. */
    readonly scopeMapRef?: {
      /** Name of a ScopeMap in this namespace. */
      readonly name: string;
    };
    /** Any registry that speaks the OCI distribution protocol: ACR, Harbor, zot, ghcr.io and the like. */
    readonly registry?: {
      /** Host name of the parent, with a port if it is not the protocol's own, such as contoso.azurecr.io. */
      readonly loginServer: string;
      /** http sends credentials and content in the clear; it is meant for a parent on the same machine. */
      readonly protocol: "https" | "http";
      /** Certificates, in PEM, that the parent's may be signed by, beside those that the system trusts. */
      readonly caBundle?: string;
      /** The same as caBundle, read from a Secret of this namespace and followed when it changes. */
      readonly caBundleRef?: {
        /** Name of the Secret. */
        readonly name: string;
        /** Which of its keys holds the certificates. */
        readonly key: string;
      };
      /** What to log in to the parent with; without it the parent is asked anonymously. A Secret of this namespace, either of type kubernetes.io/basic-auth (keys username and password) or kubernetes.io/dockerconfigjson (with an entry for the login server). */
      readonly credentialsSecretRef?: {
        /** Name of the Secret. */
        readonly name: string;
      };
      /** Hosts, beside the parent's own, whose token service may be shown the credentials. Docker Hub, for instance, has auth.docker.io. */
      readonly tokenHosts?: readonly string[];
      /** Hosts that the parent may send the registry to for content, such as contoso.westeurope.data.azurecr.io; *. at the beginning stands for anything. Without them any host will do, but none that is nearer to the registry than the parent itself: a private network, the machine, a metadata service. */
      readonly dataEndpoints?: readonly string[];
      /** By way of which the parent, its token service and its content are asked. Without it they are asked directly. */
      readonly proxy?: {
        /** Address of the proxy, such as http://proxy.example:3128. */
        readonly url: string;
        /** What to log in to the proxy with. A Secret of this namespace of type kubernetes.io/basic-auth (keys username and password). */
        readonly credentialsSecretRef?: {
          /** Name of the Secret. */
          readonly name: string;
        };
        /** What is asked directly: a host with all below it, .domain for what is below it only, an address, a network such as 10.0.0.0/8, each with or without :port; * for all. */
        readonly noProxy?: readonly string[];
      };
    };
  };
  /** Which other ConnectedRegistries may have this one as their parent. */
  readonly children?: {
    /** Namespaces that are let in, beside this one, whose registries always are. An entry for a namespace goes before the one for *. */
    readonly allowedNamespaces?: readonly {
      /** Name of a namespace, or * for every one. */
      readonly namespace: string;
      /** What registries of that namespace, and those below them, may have here at most. Without it: whatever they ask for. */
      readonly scopeMapRef?: {
        /** Name of a ScopeMap in the namespace of this registry. */
        readonly name: string;
      };
    }[];
  };
  /** What is synced, when and how. Without a policy nothing is. */
  readonly syncPolicyRef?: {
    /** Name of a SyncPolicy in this namespace. */
    readonly name: string;
  };
  /** When this registry syncs, where that is not when its policy says: what is given here goes before the policy's. */
  readonly sync?: {
    /** Five fields of cron; '* * * * *' means continuously. With it spec.sync.window counts, also where it is absent, and no window or windows of the policy. */
    readonly schedule?: string;
    /** Time zone of the schedule, by its IANA name, such as Europe/Berlin. */
    readonly timeZone?: string;
    /** How long a scheduled sync may run, from PT1H to P7D (ISO 8601). */
    readonly window?: string;
  };
  /** Who may log in here. Without a token nobody may. */
  readonly clientTokenRefs?: readonly {
    /** Name of a ClientToken in this namespace. */
    readonly name: string;
  }[];
  /** Where content is kept. */
  readonly storage: {
    /** Size of the volume, and the most that the registry stores (many kinds of volume do not enforce their size); never more than the volume has. Can grow in place if the storage class allows it, never shrink; with existingClaim it is only the most that is stored, and can do both. */
    readonly size: string;
    /** Storage class of the volume; without it, the cluster's default. Fixed once made. */
    readonly storageClassName?: string;
    /** Who may mount the volume: ReadWriteOnce, pods of one node; ReadWriteOncePod, one pod in the whole cluster; ReadWriteMany, for storage classes that offer nothing else. One pod uses it whatever it is. Default: ReadWriteOnce. Fixed once made. */
    readonly accessMode?: "ReadWriteOnce" | "ReadWriteOncePod" | "ReadWriteMany";
    /** Name of a PersistentVolumeClaim in this namespace that somebody made, to keep content there instead of in a volume of the registry's own. For this registry alone. It stays when this object is deleted. Fixed once made. */
    readonly existingClaim?: string;
    /** Whether the volume stays when this object is deleted; a ConnectedRegistry of the same name takes it over. Default: true in mode ReadWrite, false in mode ReadOnly. */
    readonly retainOnDelete?: boolean;
  };
  /** How clients and nodes reach the registry. */
  readonly service: {
    /** Type of the Service. */
    readonly type: "ClusterIP" | "NodePort" | "LoadBalancer";
    /** A fixed address from the cluster's service range, for images that are named by address. Without it the cluster chooses one. Fixed once made. */
    readonly clusterIP?: string;
    /** Host name (with a port if it is not 443) by which clients name the registry, and for which its certificate is made. Default: <name>.<namespace>.svc.cluster.local, with the port if it is not 443. Nodes trust another name only if an administrator allows it (trustDistribution.allowedLoginServers of the Helm chart); the condition NodeTrust says whether they do. */
    readonly loginServer?: string;
    /** The port that clients use. Default: 443. Another becomes part of the names of images. */
    readonly port?: number;
    /** With type NodePort or LoadBalancer, the port that every node passes on to the registry. Without it the cluster chooses one. */
    readonly nodePort?: number;
    /** Annotations of the Service, such as those by which load balancers are configured. */
    readonly annotations?: Readonly<Record<string, string>>;
    /** With type LoadBalancer, which load balancer is to serve it. Without it, the cluster's default. Fixed once made. */
    readonly loadBalancerClass?: string;
    /** With type LoadBalancer, the networks whose clients it lets in. Without them, all. */
    readonly loadBalancerSourceRanges?: readonly string[];
    /** With type NodePort or LoadBalancer: Cluster (the cluster's default) has every node pass clients on, Local only the node that runs the registry, which then sees their addresses. */
    readonly externalTrafficPolicy?: "Cluster" | "Local";
    /** Whether the Service has an address of each family in a cluster with IPv4 and IPv6. Default: that of the cluster. */
    readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack";
  };
  /** A NetworkPolicy for the registry's pod. It takes a network plugin that enforces such policies. */
  readonly networkPolicy: {
    /** Whether there is one. */
    readonly enabled: boolean;
    /** Who reaches the registry. Without it anybody. Nodes pull from their own addresses: name their networks, too. */
    readonly from?: readonly {
      /** Which pods, by their labels; without namespaceSelector, of this namespace. */
      readonly podSelector?: object;
      /** The pods of which namespaces, by their labels. */
      readonly namespaceSelector?: object;
      /** Which network. */
      readonly ipBlock?: {
        /** The network, such as 10.0.0.0/8. */
        readonly cidr: string;
        /** Networks inside of it that are not meant. */
        readonly except?: readonly string[];
      };
    }[];
    /** Who reads its metrics and probes, beside the pods of this namespace. */
    readonly metricsFrom?: readonly {
      /** Which pods, by their labels; without namespaceSelector, of this namespace. */
      readonly podSelector?: object;
      /** The pods of which namespaces, by their labels. */
      readonly namespaceSelector?: object;
      /** Which network. */
      readonly ipBlock?: {
        /** The network, such as 10.0.0.0/8. */
        readonly cidr: string;
        /** Networks inside of it that are not meant. */
        readonly except?: readonly string[];
      };
    }[];
  };
  /** How clients know that they talk to the registry. Can be changed; only Disabled restarts the pod. */
  readonly tls: {
    /** Where the certificate comes from. Generated: from an authority of the registry's own, which lives in the Secret <name>-ca, for all names and addresses of the registry. Secret: from secretRef. Inline: from inline. Disabled: there is none, and registry and nodes talk in the clear. */
    readonly source: "Generated" | "Secret" | "Inline" | "Disabled";
    /** A Secret of this namespace, of type kubernetes.io/tls (keys tls.crt and tls.key), which is followed when it changes. Its key ca.crt, if there is one, is what nodes are told to trust. */
    readonly secretRef?: {
      /** Name of the Secret. */
      readonly name: string;
    };
    /** The certificate itself. Whoever may read this object can read its key: a Secret is the better place. */
    readonly inline?: {
      /** In PEM, with what leads to its authority behind it. */
      readonly certificate: string;
      /** Its private key, in PEM, without a passphrase. */
      readonly key: string;
      /** In PEM, who signed it, if not every system knows them. Nodes are told to trust it. */
      readonly caCertificate?: string;
    };
  };
  /** Whether nodes learn to trust the registry's certificate authority, under the names of its Service and under a service.loginServer that an administrator allows. The condition NodeTrust says whether they do. */
  readonly trustDistribution: {
    /** Set to false where nodes get the certificate authority in another way. */
    readonly enabled: boolean;
  };
  /** What the registry writes to its log. */
  readonly logging: {
    /** The least severe lines that are written. Takes effect at once. */
    readonly logLevel: "Debug" | "Information" | "Warning" | "Error" | "None";
    /** Whether it is logged who did what, from where, and how it ended. Takes effect at once. */
    readonly auditLogStatus: "Enabled" | "Disabled";
  };
  /** Whether clients may delete; otherwise every such request is refused, whoever makes it. */
  readonly deleteEnabled: boolean;
  /** Removal of content that nothing refers to. */
  readonly garbageCollection: {
    /** Whether it is removed by itself. */
    readonly enabled: boolean;
    /** When, in five fields of cron, in UTC. */
    readonly schedule: string;
    /** How long such content stays all the same, from 1m to 87600h: a push that runs may be about to refer to it. */
    readonly gracePeriod: string;
  };
  /** Which tags and untagged manifests are removed by age. Without a rule none ever is; nothing is while the parent is away. */
  readonly retention?: readonly {
    /** The repositories that the rule is about; * stands for anything but '/', ** for anything. */
    readonly repositories: readonly string[];
    /** Which tags to keep. A tag stays if any entry of any rule keeps it, or none is about it. */
    readonly tags?: readonly {
      /** The tags that this is about. Of these, what none of the criteria keeps is removed. */
      readonly include: readonly string[];
      /** Keeps so many, those that were pushed last. */
      readonly keepNewest?: number;
      /** Keeps those that were pushed so recently, such as 720h. */
      readonly keepPushedWithin?: string;
      /** Keeps those that were pulled so recently, such as 720h. */
      readonly keepPulledWithin?: string;
    }[];
    /** How long a manifest stays once no tag, index or referrer holds it. Without it for ever, for pods may name its digest. */
    readonly deleteUntaggedAfter?: string;
  }[];
  /** Upper bounds of single repositories. Of several that name a repository the first counts. */
  readonly quotas?: readonly {
    /** Each repository that this names; * stands for anything but '/', ** for anything. */
    readonly repositories: string;
    /** What each of them may hold, such as 2Gi. */
    readonly size: string;
  }[];
  /** Checks of what is stored against its digests. */
  readonly scrub: {
    /** Whether stored content is read and checked by itself. */
    readonly enabled: boolean;
    /** When, in five fields of cron, in UTC. */
    readonly schedule: string;
    /** How much of the volume is read in a second at most, from 64Ki to 1P. */
    readonly bandwidth: string;
  };
  /** Stops syncing; the registry goes on serving what it has. */
  readonly suspend: boolean;
  /** Compute resources of the registry's container. Default: requests of 50m CPU and 96Mi memory, a limit of 512Mi memory. */
  readonly resources?: {
    /** What is set aside for the container, by resource. */
    readonly requests?: Readonly<Record<string, string>>;
    /** What the container may use at most, by resource. */
    readonly limits?: Readonly<Record<string, string>>;
  };
  /** Labels that a node must have to run the registry. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Taints that the registry's pod tolerates. */
  readonly tolerations?: readonly {
    /** The taint's key; empty with operator Exists means every taint. */
    readonly key?: string;
    /** How key and value are compared. Default: Equal. */
    readonly operator?: "Equal" | "Exists";
    /** The taint's value. */
    readonly value?: string;
    /** Which effect of the taint is meant; empty means all. */
    readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
    /** With NoExecute, how long the pod stays once the taint is there. */
    readonly tolerationSeconds?: number;
  }[];
  /** Which nodes, and which pods beside it, the registry's pod wants or avoids. As for any pod. */
  readonly affinity?: {
    /** Which nodes. */
    readonly nodeAffinity?: object;
    /** Near which pods. */
    readonly podAffinity?: object;
    /** Away from which pods. */
    readonly podAntiAffinity?: object;
  };
  /** How pods that labelSelector finds, such as those of several registries, spread over zones or nodes. As for any pod. */
  readonly topologySpreadConstraints?: readonly {
    /** By how many pods places may differ. */
    readonly maxSkew: number;
    /** With DoNotSchedule, over how many places at least. */
    readonly minDomains?: number;
    /** The label of nodes that says what a place is, such as topology.kubernetes.io/zone. */
    readonly topologyKey: string;
    /** What becomes of the pod if there is no such place. */
    readonly whenUnsatisfiable: "DoNotSchedule" | "ScheduleAnyway";
    /** Which pods count. */
    readonly labelSelector: object;
  }[];
  /** PriorityClass of the registry's pod: what the others of its node, and the scheduler, rank it by. It must exist. */
  readonly priorityClassName?: string;
  /** Labels of the registry's pod, beside its own. */
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Annotations of the registry's pod. */
  readonly podAnnotations?: Readonly<Record<string, string>>;
  /** As whom the registry's pod runs. Default: user, group and fsGroup 65532. It never runs as root, and always with the seccomp profile of the container runtime. */
  readonly podSecurityContext?: {
    /** User id of the process. */
    readonly runAsUser?: number;
    /** Group id of the process. */
    readonly runAsGroup?: number;
    /** Group id that the volume's files get. */
    readonly fsGroup?: number;
    /** Further groups of the process, such as that of a file server's share. */
    readonly supplementalGroups?: readonly number[];
    /** The SELinux context of the pod's processes. */
    readonly seLinuxOptions?: {
      /** SELinux user. */
      readonly user?: string;
      /** SELinux role. */
      readonly role?: string;
      /** SELinux type. */
      readonly type?: string;
      /** SELinux level. */
      readonly level?: string;
    };
  };
  /** Annotations of the registry's ServiceAccount, such as those by which clouds know workloads. */
  readonly serviceAccountAnnotations?: Readonly<Record<string, string>>;
  /** Secrets of this namespace with which nodes pull the registry's own image. */
  readonly imagePullSecrets?: readonly {
    /** Name of the Secret. */
    readonly name: string;
  }[];
}

export interface ConnectedRegistryStatus {
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
  /** Online: the parent answers. Syncing: content is on its way. Offline: the parent cannot be reached, or the registry itself is silent. Unhealthy: connected, but statusDetails names a problem. */
  readonly connectionState?: "Online" | "Offline" | "Syncing" | "Unhealthy";
  /** The one instance that acts as this registry. */
  readonly activation?: {
    /** Active once an instance has reported for duty. */
    readonly status: "Active" | "Inactive";
    /** Which instance: the name of its pod. */
    readonly instance?: string;
    /** Since when it has been this instance. */
    readonly since?: string;
  };
  /** Version of the registry program that runs. */
  readonly version?: string;
  /** Last contact with the parent. */
  readonly lastActivityTime?: string;
  /** End of the last sync that succeeded. */
  readonly lastSyncTime?: string;
  /** All that the policy selected at the parent at this time was here: so far the registry is behind its parent. */
  readonly upToDateAsOf?: string;
  /** How clients address the registry. */
  readonly loginServer?: {
    /** The host name that image names begin with. */
    readonly host: string;
    /** Transport security of that address. */
    readonly tls: {
      /** Whether the registry speaks HTTPS. */
      readonly status: "Enabled" | "Disabled";
    };
    /** Where clients outside of the cluster reach it: addresses and names of the load balancer, with the port if it is not 443. */
    readonly addresses?: readonly string[];
  };
  /** The parent that the registry is told of. */
  readonly parent?: {
    /** What names the parent in the spec. */
    readonly kind: "Registry" | "ConnectedRegistry";
    /** The login server, or the ConnectedRegistry: with its namespace, if that is another. */
    readonly name: string;
    /** Host, with a port if it is not the protocol's own, at which the registry asks. */
    readonly endpoint: string;
    /** Over what. */
    readonly protocol: "https" | "http";
  };
  /** With what the registry logs in to a parent that is a ConnectedRegistry. */
  readonly syncToken?: {
    /** Name of the ClientToken. */
    readonly name: string;
    /** Its namespace, which is the parent's. */
    readonly namespace: string;
    /** Whether it lets the registry in. It is the parent's side that disables it. */
    readonly status: "enabled" | "disabled";
    /** When the password in use stops working. Absent, never. */
    readonly expiry?: string;
    /** How many repositories, or patterns of them, it may read, for this registry and those below it. */
    readonly repositories: number;
    /** The first 20 of them. */
    readonly repositoryItems: readonly string[];
  };
  /** The ConnectedRegistries that have this one as their parent, and are let in. */
  readonly children?: {
    /** How many there are. */
    readonly count: number;
    /** The first 20 of them: with their namespace, if that is another. */
    readonly names: readonly string[];
  };
  /** The last value of the annotation connectedregistry.io/resync that was passed on to the registry. */
  readonly lastResyncRequest?: string;
  /** The schedule in force. */
  readonly schedule?: string;
  /** The sync window in force. */
  readonly window?: string;
  /** The sync that runs, or the last one. */
  readonly sync?: {
    /** What set it off. */
    readonly trigger: "InitialSync" | "ManualResync" | "RecoveryService" | "SyncTokenUpdate" | "Schedule";
    /** How it stands. Partial: some tags failed, the others are there. TimedOut: the window closed before it was done. Pending: cut short by the link's quota, it goes on at nextTime. */
    readonly state: "Pending" | "Syncing" | "Succeeded" | "Partial" | "Failed" | "TimedOut";
    /** When it began. */
    readonly startTime: string;
    /** When it ended. */
    readonly endTime?: string;
    /** When the next one begins. */
    readonly nextTime?: string;
    /** What became of the tags that the policy selects. */
    readonly tags: {
      /** Selected by the policy. */
      readonly selected: number;
      /** Found to be here already. */
      readonly upToDate: number;
      /** Copied in this run. */
      readonly copied: number;
      /** Could not be copied. */
      readonly failed: number;
      /** Left for the next run. */
      readonly postponed: number;
    };
    /** The repositories that the policy selects. */
    readonly repositories?: {
      /** How many there are. */
      readonly planned: number;
      /** In how many everything was tried. */
      readonly done: number;
    };
    /** Content received from the parent in this run, in bytes. */
    readonly bytes: number;
    /** Of layers and configurations that were missing, those that came included; while the sync runs, as far as it has looked. */
    readonly bytesPlanned?: number;
    /** Of layers and configurations that new images need, and that were here already. */
    readonly bytesSaved?: number;
    /** While the sync runs, of the last half minute; afterwards, of the whole run. */
    readonly bytesPerSecond?: number;
    /** When a sync that runs may be done, going on like this. */
    readonly estimatedEndTime?: string;
    /** What to know though nothing failed: rules of the policy that select nothing, and why. */
    readonly message?: string;
    /** A few of the tags that could not be copied, one of each kind first; /status/failures of the registry has all. */
    readonly failures: readonly {
      /** The repository. */
      readonly repository: string;
      /** The tag; absent if the repository as a whole failed. */
      readonly tag?: string;
      /** What went wrong. */
      readonly message: string;
      /** When it is tried again at the earliest. Absent, in the next sync. */
      readonly retryTime?: string;
    }[];
    /** How many failed for which reason, the most frequent first. */
    readonly failureReasons?: readonly {
      /** What went wrong. */
      readonly message: string;
      /** How often. */
      readonly count: number;
    }[];
  };
  /** Why nothing is synced for now. Absent while nothing keeps a sync from running when it is due. */
  readonly postponed?: {
    /** LinkQuota: the policy's limits.quota is used up. Blackout: one of its blackouts lasts. */
    readonly reason: "LinkQuota" | "Blackout";
    /** A sentence, with what a person can do. */
    readonly message: string;
    /** When syncs go on by themselves. */
    readonly until: string;
  };
  /** What the link to the parent carries, in bytes of HTTP messages in both directions, heads included. */
  readonly link?: {
    /** The limit of this moment. Absent: none. */
    readonly bytesPerSecond?: number;
    /** Since midnight in the policy's time zone. */
    readonly usedToday: number;
    /** Since the first of the month in the policy's time zone. */
    readonly usedThisMonth: number;
    /** Of usedToday, what is no content: signs of life, lists, looks at tags and manifests. */
    readonly questionsToday?: number;
    /** The quota in force. Absent: none. */
    readonly quota?: {
      /** For how long it is. */
      readonly period: "Day" | "Month";
      /** How much it is. */
      readonly bytes: number;
      /** What is left of it. */
      readonly left: number;
      /** When the next period begins. */
      readonly resetTime: string;
    };
  };
  /** What clients changed in the registry and the parent does not have: changes that wait, those that the parent refuses, and tags that were changed at the parent, too. Absent: nothing. */
  readonly up?: {
    /** Changes (tags, and manifests by digest) that wait for their turn, the link or the parent. */
    readonly pending: number;
    /** The most that they take, in bytes, if the parent has nothing of it. */
    readonly bytes: number;
    /** When the oldest of them was made. */
    readonly oldestTime?: string;
    /** How many the parent refuses for good. They block nothing, and are tried again when a person asks for a resync. */
    readonly setAside: number;
    /** The first few of them, and why. */
    readonly setAsideItems: readonly {
      /** The repository. */
      readonly repository: string;
      /** The tag, or the digest of a manifest. */
      readonly reference: string;
      /** What was done with it. */
      readonly action: "put" | "delete";
      /** Why the parent does not take it, and what to do. */
      readonly message: string;
    }[];
    /** Tags whose last change here met another at the parent. */
    readonly conflicts: number;
    /** The newest few of them. */
    readonly conflictItems: readonly {
      /** The repository. */
      readonly repository: string;
      /** The tag. */
      readonly tag: string;
      /** What came of it. */
      readonly settled: "parentWins" | "localWins" | "keepBoth";
      /** What it was here; absent if it was deleted. */
      readonly ours?: string;
      /** What it was at the parent; absent if it was deleted. */
      readonly theirs?: string;
      /** The tag under which ours went up beside theirs. */
      readonly sentAs?: string;
      /** When it was found. */
      readonly time: string;
    }[];
  };
  /** How many changes came to wait for the parent, and how many of them are done, in one number that only grows. At a start the registry reads it: a volume that has come less far was put back from a backup, and what waits in it to go up gives way to what the parent has by now. */
  readonly upCourse?: number;
  /** The request to drain that is met: the parent has all that clients changed here, and clients change nothing any more. The operator asks for it when the registry is to be deleted. */
  readonly drained?: string;
  /** How it goes with the sync that somebody asked for last: the answer to the annotation connectedregistry.io/resync. Syncs after it do not change it. */
  readonly resync?: {
    /** The value of the annotation that this answers. */
    readonly request: string;
    /** How it stands. Pending: it has not begun, since the parent is away, syncs are suspended or the link's quota is used up. Partial: some tags failed. Failed: nothing was brought, or it broke off; then it is tried again by itself. */
    readonly state: "Pending" | "Syncing" | "Succeeded" | "Partial" | "Failed";
    /** When it began. */
    readonly startTime?: string;
    /** When it ended. */
    readonly endTime?: string;
  };
  /** What a sync would do: the answer to the annotation connectedregistry.io/plan. /status/plan of the registry has each tag. */
  readonly plan?: {
    /** The value of the annotation that this answers. */
    readonly request: string;
    /** How it stands. Pending: the parent is away. Partial: not everything could be looked at. */
    readonly state: "Pending" | "Running" | "Succeeded" | "Partial" | "Failed";
    /** When it began. */
    readonly startTime: string;
    /** When it ended. */
    readonly endTime?: string;
    /** While it runs, how many of the selected tags were looked at. */
    readonly progress?: {
      /** So many were. */
      readonly done: number;
      /** So many are selected. */
      readonly all: number;
    };
    /** What would become of the tags at the parent. */
    readonly tags?: {
      /** Selected by the policy. */
      readonly selected: number;
      /** Of these, here already. */
      readonly here: number;
      /** Of these, new, changed or incomplete here. */
      readonly toFetch: number;
      /** Left out by the policy. */
      readonly leftOut: number;
      /** Could not be looked at. */
      readonly failed: number;
    };
    /** What would come from the parent, in bytes, each content once. */
    readonly bytesToFetch?: number;
    /** The repositories of which most would come. */
    readonly biggest?: readonly {
      /** The repository. */
      readonly repository: string;
      /** How many tags. */
      readonly toFetch: number;
      /** How many bytes. */
      readonly bytes: number;
    }[];
    /** Why tags are left out, the most frequent reason first. */
    readonly leftOutReasons?: readonly {
      /** Why. */
      readonly message: string;
      /** How many tags. */
      readonly count: number;
    }[];
    /** What to know though nothing failed, or why it failed. */
    readonly message?: string;
    /** A few of the tags that could not be looked at. */
    readonly failures?: readonly {
      /** The repository. */
      readonly repository: string;
      /** The tag; absent if the repository as a whole failed. */
      readonly tag?: string;
      /** What went wrong. */
      readonly message: string;
      /** When it is tried again at the earliest. Absent, in the next sync. */
      readonly retryTime?: string;
    }[];
  };
  /** Problems that the registry reports; empty when all is well. */
  readonly statusDetails?: readonly {
    /** The component. */
    readonly type: string;
    /** A word for the problem. */
    readonly code: string;
    /** A sentence, with the next step. */
    readonly description: string;
    /** When it was found. */
    readonly timestamp: string;
    /** Appears in the registry's log with the same problem. */
    readonly correlationId: string;
  }[];
}

/** A container registry in this cluster that keeps a selection of a parent registry's content next to the workloads that need it, and goes on serving it whatever the link to the parent does. */
export interface ConnectedRegistry {
  readonly apiVersion: "connectedregistry.io/v1alpha1";
  readonly kind: "ConnectedRegistry";
  readonly metadata: ObjectMeta;
  readonly spec: ConnectedRegistrySpec;
  readonly status?: ConnectedRegistryStatus;
}

export const ConnectedRegistryKind: Kind<ConnectedRegistry> = {
  apiVersion: "connectedregistry.io/v1alpha1",
  kind: "ConnectedRegistry",
  plural: "connectedregistries",
  namespaced: true,
};
