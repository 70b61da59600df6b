import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { samples } from "../../crds/testing/samples.ts";
import { defaulted, schemas } from "../../crds/testing/structural.ts";
import type { ClientToken } from "../api/clienttoken.gen.ts";
import type { ConnectedRegistry } from "../api/connectedregistry.gen.ts";
import type { SyncPolicy } from "../api/syncpolicy.gen.ts";
import type { KubeObject } from "../runtime/kube.ts";
import { contentRules } from "./content.ts";
import { desiredDeployment } from "./deployment.ts";
import { desiredLease } from "./lease.ts";
import { adjustedPolicy } from "./policy.ts";
import { desiredNetworkPolicy } from "./network-policy.ts";
import { desiredRole, desiredRoleBinding, desiredServiceAccount } from "./rbac.ts";
import {
  desiredCaSecret,
  desiredConfigSecret,
  desiredCredentials,
  desiredSyncSecret,
  desiredTlsSecret,
  desiredTokenSecret,
} from "./secrets.ts";
import type { Passwords } from "./passwords.ts";
import { desiredService } from "./service.ts";
import { desiredSettings, syncSettings } from "./settings.ts";
import { desiredClaim } from "./storage.ts";
import { desiredTrustList, trustEntries } from "./trust.ts";

/**
 * What we ask the API server for, word for word: a change of it is seen in review. To accept a change:
 * `UPDATE_GOLDEN=1 npx jest operator/resources/golden`.
 */
// eslint-disable-next-line no-restricted-syntax -- the flag is for this test alone, and no program reads it
const update = process.env.UPDATE_GOLDEN === "1";

function sample<T extends KubeObject>(kind: T["kind"]): T {
  const found = samples.find((one) => one.kind === kind);
  const full = defaulted(schemas.get(kind)!, found) as T;
  return { ...full, metadata: { ...full.metadata, uid: "11111111-2222-3333-4444-555555555555" } };
}

const childOf = (registry: ConnectedRegistry): ConnectedRegistry => ({
  ...registry,
  metadata: { ...registry.metadata, name: "line-one" },
});

const plain = sample<ConnectedRegistry>("ConnectedRegistry");
const token = sample<ClientToken>("ClientToken");
const policy = sample<SyncPolicy>("SyncPolicy");
const narrow: SyncPolicy = {
  ...policy,
  spec: {
    ...policy.spec,
    repositories: policy.spec.repositories.map((rule) => ({
      ...rule,
      maxSize: "2Gi",
      referrerTypes: ["application/vnd.dev.cosign.*"],
      tags: {
        include: ["latest", "*"],
        exclude: ["*-debug"],
        expression: "(.*)-alpine",
        excludeExpression: ".*-rc\\d+.*",
        semver: { range: ">=16", prereleases: false },
        newest: { count: 5, by: "Semver" },
      },
    })),
  },
};
const limited: SyncPolicy = {
  ...narrow,
  spec: {
    ...narrow.spec,
    timeZone: "Europe/Berlin",
    windows: [{ schedule: "0 22 * * 5", window: "P2D" }],
    blackouts: [{ start: "2026-12-24T18:00", end: "2026-12-26" }],
    maxPollInterval: "10m",
    onDemand: { policy: "Selected" },
    freshness: [
      { repositories: ["**"], tags: ["v*"], check: "Never" },
      { repositories: ["apps/*"], tags: ["*"], check: "MaxAge", maxAge: "10m" },
    ],
    prune: { enabled: true, gracePeriod: "48h", recoveryPeriod: "720h", maxPercent: 25 },
    limits: {
      bandwidth: "1.5Mi",
      windows: [
        { from: "08:00", to: "18:00", days: ["Monday"], bandwidth: "100k" },
        { from: "22:00", to: "06:00", days: [] },
      ],
      quota: { size: "20Gi", period: "Month" },
    },
  },
};
const creationTime = "2026-11-21T08:00:00Z";
const passwords: Passwords = {
  password1: { value: "one", creationTime, rotated: "2026-11-21T10:00Z" },
  password2: {
    value: "two",
    creationTime,
    hash: { algorithm: "scrypt", salt: "00".repeat(16), hash: "11".repeat(32) },
  },
};
const annotations = {
  "connectedregistry.io/resync": "2026-11-21T10:00Z",
  "connectedregistry.io/plan": "2026-11-21T11:00Z",
};
const everything: ConnectedRegistry = {
  ...plain,
  metadata: { ...plain.metadata, annotations },
  spec: {
    ...plain.spec,
    mode: "ReadWrite",
    suspend: true,
    logging: { logLevel: "Debug", auditLogStatus: "Enabled" },
    deleteEnabled: false,
    garbageCollection: { enabled: true, schedule: "30 2 * * *", gracePeriod: "48h" },
    retention: [
      {
        repositories: ["apps/**"],
        tags: [{ include: ["*"], keepNewest: 5, keepPushedWithin: "720h", keepPulledWithin: "24h" }],
        deleteUntaggedAfter: "168h",
      },
    ],
    quotas: [{ repositories: "apps/*", size: "2Gi" }],
    scrub: { enabled: false, schedule: "0 4 * * 0", bandwidth: "1Mi" },
    sync: { schedule: "0 3 * * *", timeZone: "Asia/Tokyo", window: "PT3H" },
    storage: { size: "20Gi", storageClassName: "fast", accessMode: "ReadWriteOncePod" },
    service: {
      type: "LoadBalancer",
      clusterIP: "10.96.0.10",
      loginServer: "edge.contoso.example:8443",
      port: 8443,
      nodePort: 30443,
      annotations: { "example.com/pool": "edge" },
      loadBalancerClass: "example.com/fast",
      loadBalancerSourceRanges: ["203.0.113.0/24"],
      externalTrafficPolicy: "Local",
      ipFamilyPolicy: "PreferDualStack",
    },
    resources: { limits: { memory: "1Gi" } },
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "edge", operator: "Exists" }],
    imagePullSecrets: [{ name: "mirror" }],
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: "kubernetes.io/hostname",
            labelSelector: { matchLabels: { "app.kubernetes.io/name": "connected-registry" } },
          },
        ],
      },
    },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { "app.kubernetes.io/name": "connected-registry" } },
      },
    ],
    priorityClassName: "edge-critical",
    networkPolicy: {
      enabled: true,
      from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.9.0.0/16"] } }, { podSelector: {} }],
      metricsFrom: [{ namespaceSelector: { matchLabels: { team: "monitoring" } } }],
    },
    podLabels: { team: "edge", "app.kubernetes.io/name": "never this" },
    podAnnotations: { "example.com/scrape": "true" },
    podSecurityContext: { runAsUser: 1000, fsGroup: 2000, supplementalGroups: [3000] },
    serviceAccountAnnotations: { "example.com/role": "edge" },
  },
};
const addresses = { cluster: ["10.96.0.10", "fd00:96::10"], external: ["203.0.113.7", "lb.contoso.example"] };
const clear: ConnectedRegistry = { ...plain, spec: { ...plain.spec, tls: { source: "Disabled" } } };
const parent = {
  loginServer: "registry.contoso.example:5000",
  credentials: { username: "edge", password: "p" },
};
const server = { certificate: "server certificate", key: "server key" };
const ca = { certificate: "ca certificate", key: "ca key" };
const time = new ManualClock("2033-07-22T08:00:00Z").now();
const authority = {
  current: ca,
  next: { certificate: "next certificate", key: "next key", announced: time },
  previous: { certificate: "previous certificate", until: time },
  cross: "cross certificate",
};
const hash = { name: "password1", algorithm: "sha256", salt: "00", hash: "ff" } as const;
const image = "registry.example/connected-registry:0.1.0";

const goldens: Readonly<Record<string, readonly object[]>> = {
  "workload-plain": [
    desiredDeployment(plain, image),
    desiredService(plain),
    desiredClaim(plain, undefined, false),
    desiredLease(plain),
    desiredServiceAccount(plain),
    desiredRole(plain, []),
    desiredRoleBinding(plain),
  ],
  "workload-in-the-clear": [desiredDeployment(clear, image), desiredService(clear)],
  "workload-everything": [
    desiredDeployment(everything, image),
    desiredService(everything),
    desiredClaim(everything, undefined, false),
    desiredServiceAccount(everything),
    desiredNetworkPolicy(everything) ?? {},
    desiredRole(everything, [childOf(everything)]),
  ],
  secrets: [
    desiredTlsSecret(plain, { server, authorities: ca.certificate, since: time }),
    desiredCaSecret(plain, authority),
    desiredTokenSecret(plain, {
      version: 1,
      name: "edge-puller",
      status: "enabled",
      passwords: [hash],
      actions: ["repositories/*/content/read"],
    }),
    desiredSyncSecret(plain, childOf(plain), {
      version: 1,
      name: "line-one",
      kind: "sync",
      status: "enabled",
      passwords: [hash],
      actions: ["repositories/*/content/read", "gateway/line-one/config/read"],
    }),
    desiredCredentials(token, passwords, "password2", ["10.96.0.10", "a.example"]),
    desiredConfigSecret(plain, { version: 1, name: "contoso-edge" }),
  ],
  "settings-plain": [
    desiredSettings(plain, {
      addresses,
      parent,
      sync: syncSettings(plain, adjustedPolicy(plain, policy)),
      content: contentRules(plain.spec),
      capacity: undefined,
      children: [],
    }),
  ],
  "settings-everything": [
    desiredSettings(everything, {
      addresses,
      parent: undefined,
      sync: syncSettings(everything, adjustedPolicy(everything, limited)),
      content: contentRules(everything.spec),
      capacity: "15Gi",
      children: [childOf(everything)],
    }),
  ],
  trust: [
    desiredTrustList(
      trustEntries(
        [
          {
            registry: everything,
            addresses,
            encryption: { certificate: "server certificate", authorities: "ca certificate" },
          },
        ],
        ["*.contoso.example"],
      ),
      { at: 0, count: 2, namespace: "system" },
    ),
    desiredTrustList(new Map(), { at: 1, count: 2, namespace: "system" }),
  ],
};

describe("what we apply is what it was", () => {
  it.each(Object.entries(goldens))("%s", (name, documents) => {
    const file = join(import.meta.dirname, "__golden__", `${name}.yaml`);
    const text = documents.map((document) => dump(document, { noRefs: true, lineWidth: 110 })).join("---\n");
    if (update) writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});
