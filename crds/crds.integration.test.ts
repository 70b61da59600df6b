import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { kubeApi, type KubeApi } from "../e2e/cluster/kube-api.ts";
import { eventually } from "../e2e/harness/eventually.ts";
import { startTestControlPlane, type TestControlPlane } from "../e2e/harness/test-control-plane.ts";
import type { KubeObject } from "../operator/runtime/kube.ts";
import { samples } from "./testing/samples.ts";
import { defaulted, schemas } from "./testing/structural.ts";

const group = "/apis/connectedregistry.io/v1alpha1";
const plurals: Readonly<Record<string, string>> = {
  ConnectedRegistry: "connectedregistries",
  SyncPolicy: "syncpolicies",
  ScopeMap: "scopemaps",
  ClientToken: "clienttokens",
};
let plane: TestControlPlane;
let api: KubeApi;

beforeAll(async () => {
  plane = await startTestControlPlane();
  api = kubeApi(plane.access);
  for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith(".yaml"))) {
    const crd = load(readFileSync(join(import.meta.dirname, name), "utf8")) as KubeObject;
    await api.apply(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`, crd);
  }
  await eventually("the kinds", 30_000, async () => {
    for (const plural of Object.values(plurals)) await api.get(`${group}/${plural}`);
    return true;
  });
  await api.apply("/api/v1/namespaces/edge", samples[0]!);
}, 120_000);

afterAll(() => plane.stop());

function pathOf({ kind, metadata }: KubeObject): string {
  return `${group}/namespaces/edge/${plurals[kind] ?? ""}/${metadata.name}`;
}

const object = (kind: string, spec: object, name = "under-test") => ({
  apiVersion: "connectedregistry.io/v1alpha1",
  kind,
  metadata: { name, namespace: "edge" },
  spec,
});
const registry = (spec: object, name?: string) => object("ConnectedRegistry", spec, name);
const withParent = (parent: object) =>
  registry({ parent: { registry: { loginServer: "contoso.example", ...parent } } });
const synced = (spec: object) =>
  registry({
    parent: { registry: { loginServer: "contoso.example" } },
    syncPolicyRef: { name: "contoso" },
    ...spec,
  });
const policy = (spec: object, repository: object = {}) =>
  object("SyncPolicy", { repositories: [{ name: "apps/*", ...repository }], ...spec });
const scopeMap = (...actions: readonly string[]) => object("ScopeMap", { actions });
const clientToken = (passwords: object) => object("ClientToken", { passwords });
const pullAll = "repositories/*/content/read";
const certificate = "-----BEGIN CERTIFICATE-----";
const privateKey = "-----BEGIN PRIVATE KEY-----";

/** The message with which the API server refuses `wanted`. */
async function refusal(wanted: KubeObject): Promise<string> {
  const answer = await api.apply(pathOf(wanted), wanted).then(
    () => "accepted",
    (error: unknown) => (error as Error).message,
  );
  return answer.replaceAll('\\"', '"').replaceAll("\\u003c", "<").replaceAll("\\u003e", ">");
}

it("takes the samples, and fills in the defaults that we expect", async () => {
  for (const sample of samples.filter(({ kind }) => schemas.has(kind))) {
    await api.apply(pathOf(sample), sample);
    const stored = JSON.parse(await api.get(pathOf(sample))) as { spec: unknown };
    const expected = defaulted(schemas.get(sample.kind)!, sample) as { spec: unknown };
    expect(stored.spec).toEqual(expected.spec);
  }
});

describe("refuses, and says what to do instead:", () => {
  it.each([
    { wanted: registry({ mode: "Registry" }), field: "spec.mode", says: "use ReadWrite" },
    { wanted: registry({ mode: "Mirror" }), field: "spec.mode", says: "use ReadOnly" },
    {
      wanted: registry({ mode: "readonly" }),
      field: "spec.mode",
      says: "ReadOnly and ReadWrite: use one of them",
    },
    { wanted: registry({}, "abcd"), field: "", says: "use 5 to 40 lower-case letters" },
    { wanted: registry({}, `a${"b".repeat(40)}`), field: "", says: "use 5 to 40 lower-case letters" },
    { wanted: registry({}, "1abcd"), field: "", says: "beginning with a letter" },
    { wanted: registry({ parent: {} }), field: "spec.parent", says: "exactly one source" },
    {
      wanted: registry({ syncPolicyRef: { name: "contoso" } }),
      field: "spec",
      says: "set spec.parent, or remove",
    },
    {
      wanted: registry({ sync: { schedule: "0 2 * * *" } }),
      field: "spec",
      says: "set spec.syncPolicyRef, or remove spec.sync",
    },
    {
      wanted: synced({ sync: { window: "PT3H" } }),
      field: "spec.sync",
      says: "set spec.sync.schedule beside",
    },
    {
      wanted: synced({ sync: { schedule: "* * * * *", window: "PT3H" } }),
      field: "spec.sync",
      says: "remove spec.sync.window",
    },
    {
      wanted: synced({ sync: { schedule: "0 0 2 * * *" } }),
      field: "spec.sync.schedule",
      says: "five fields of cron",
    },
    {
      wanted: synced({ sync: { schedule: "0 2 * * *", window: "PT59M" } }),
      field: "spec.sync.window",
      says: "from PT1H to P7D",
    },
    {
      wanted: registry({ logging: { auditLogStatus: "On" } }),
      field: "spec.logging.auditLogStatus",
      says: "Enabled",
    },
    {
      wanted: registry({ garbageCollection: { schedule: "@daily" } }),
      field: "spec.garbageCollection.schedule",
      says: "five fields of cron",
    },
    ...["59s", "87601h", "1d"].map((gracePeriod) => ({
      wanted: registry({ garbageCollection: { gracePeriod } }),
      field: "spec.garbageCollection.gracePeriod",
      says: "from 1m to 87600h",
    })),
    {
      wanted: registry({ retention: [{ repositories: ["**"], tags: [{ include: ["*"] }] }] }),
      field: "spec.retention[0].tags[0]",
      says: "give keepNewest, keepPushedWithin or keepPulledWithin",
    },
    {
      wanted: registry({ quotas: [{ repositories: "apps/*", size: "0" }] }),
      field: "spec.quotas[0].size",
      says: "such as 2Gi",
    },
    ...["1k", "2P"].map((bandwidth) => ({
      wanted: registry({ scrub: { bandwidth } }),
      field: "spec.scrub.bandwidth",
      says: "from 64Ki to 1P",
    })),
    {
      wanted: registry({
        parent: { registry: { loginServer: "contoso.example" }, connectedRegistryRef: { name: "other-one" } },
      }),
      field: "spec.parent",
      says: "exactly one source",
    },
    {
      wanted: registry({
        parent: { registry: { loginServer: "contoso.example" }, scopeMapRef: { name: "some" } },
      }),
      field: "spec.parent",
      says: "use it with connectedRegistryRef",
    },
    {
      wanted: registry({ parent: { connectedRegistryRef: { name: "under-test" } } }),
      field: "",
      says: "cannot be its own parent",
    },
    {
      wanted: withParent({ loginServer: "https://contoso.example" }),
      field: "spec.parent.registry.loginServer",
      says: "without https://",
    },
    {
      wanted: withParent({ loginServer: "contoso.example/apps" }),
      field: "spec.parent.registry.loginServer",
      says: "without a path",
    },
    {
      wanted: withParent({ caBundle: certificate, caBundleRef: { name: "a" } }),
      field: "spec.parent.registry",
      says: "set caBundle or caBundleRef, not both",
    },
    {
      wanted: withParent({ protocol: "http", caBundle: certificate }),
      field: "spec.parent.registry",
      says: "use protocol https",
    },
    {
      wanted: withParent({ caBundle: "x" }),
      field: "spec.parent.registry.caBundle",
      says: "-----BEGIN CERTIFICATE-----",
    },
    {
      wanted: withParent({ tokenHosts: ["https://auth.example"] }),
      field: "spec.parent.registry.tokenHosts[0]",
      says: "give a host alone",
    },
    {
      wanted: withParent({ dataEndpoints: ["https://contoso.data.azurecr.io"] }),
      field: "spec.parent.registry.dataEndpoints[0]",
      says: "give a host alone",
    },
    {
      wanted: withParent({ proxy: { url: "http://user:secret@proxy.example:3128" } }),
      field: "spec.parent.registry.proxy.url",
      says: "belongs into credentialsSecretRef",
    },
    { wanted: registry({ storage: { size: "0" } }), field: "spec.storage.size", says: "such as 20Gi" },
    { wanted: registry({ storage: { size: "big" } }), field: "spec.storage.size", says: "such as 20Gi" },
    {
      wanted: registry({ storage: { accessMode: "ReadOnlyMany" } }),
      field: "spec.storage.accessMode",
      says: "there are ReadWriteOnce, ReadWriteOncePod and ReadWriteMany",
    },
    ...[{ storageClassName: "fast" }, { accessMode: "ReadWriteOnce" }, { retainOnDelete: false }].map(
      (also) => ({
        wanted: registry({ storage: { existingClaim: "of-mine", ...also } }),
        field: "spec.storage",
        says: "or remove existingClaim",
      }),
    ),
    {
      wanted: registry({ service: { clusterIP: "ten" } }),
      field: "spec.service.clusterIP",
      says: "give an IP address",
    },
    { wanted: registry({ tls: { source: "None" } }), field: "spec.tls.source", says: "use Disabled" },
    { wanted: registry({ tls: { source: "Vault" } }), field: "spec.tls.source", says: "use one of them" },
    {
      wanted: registry({ tls: { source: "Secret" } }),
      field: "spec.tls",
      says: "tls.secretRef belong together",
    },
    {
      wanted: registry({ tls: { secretRef: { name: "edge" } } }),
      field: "spec.tls",
      says: "tls.secretRef belong together",
    },
    {
      wanted: registry({ tls: { source: "Inline" } }),
      field: "spec.tls",
      says: "tls.inline belong together",
    },
    {
      wanted: registry({ tls: { source: "Inline", inline: { certificate: "x", key: privateKey } } }),
      field: "spec.tls.inline.certificate",
      says: "-----BEGIN CERTIFICATE-----",
    },
    {
      wanted: registry({
        tls: { source: "Inline", inline: { certificate, key: "-----BEGIN ENCRYPTED PRIVATE KEY-----" } },
      }),
      field: "spec.tls.inline.key",
      says: "without a passphrase",
    },
    {
      wanted: registry({
        tls: { source: "Inline", inline: { certificate, key: privateKey, caCertificate: "x" } },
      }),
      field: "spec.tls.inline.caCertificate",
      says: "-----BEGIN CERTIFICATE-----",
    },
    {
      wanted: registry({ service: { port: 65536 } }),
      field: "spec.service.port",
      says: "less than or equal to 65535",
    },
    {
      wanted: registry({ service: { nodePort: 30443 } }),
      field: "spec.service",
      says: "or remove nodePort",
    },
    {
      wanted: registry({ service: { externalTrafficPolicy: "Local" } }),
      field: "spec.service",
      says: "or remove externalTrafficPolicy",
    },
    ...[{ loadBalancerClass: "example.com/fast" }, { loadBalancerSourceRanges: ["203.0.113.0/24"] }].map(
      (fields) => ({
        wanted: registry({ service: { type: "NodePort", ...fields } }),
        field: "spec.service",
        says: "use type LoadBalancer, or remove",
      }),
    ),
    {
      wanted: registry({ service: { type: "LoadBalancer", loadBalancerSourceRanges: ["203.0.113.7"] } }),
      field: "spec.service.loadBalancerSourceRanges[0]",
      says: "give a network",
    },
    {
      wanted: registry({ service: { annotations: { "connectedregistry.io/applied": "x" } } }),
      field: "spec.service.annotations",
      says: "use others",
    },
    {
      wanted: registry({ networkPolicy: { from: [{ podSelector: {} }] } }),
      field: "spec.networkPolicy",
      says: "set enabled, or remove",
    },
    ...[{}, { podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }].map((peer) => ({
      wanted: registry({ networkPolicy: { enabled: true, from: [peer] } }),
      field: "spec.networkPolicy.from[0]",
      says: "name networks by ipBlock, or pods by",
    })),
    {
      wanted: registry({
        networkPolicy: { enabled: true, metricsFrom: [{ ipBlock: { cidr: "10.0.0.0" } }] },
      }),
      field: "spec.networkPolicy.metricsFrom[0].ipBlock.cidr",
      says: "give a network",
    },
    {
      wanted: registry({ podLabels: { "app.kubernetes.io/instance": "other" } }),
      field: "spec.podLabels",
      says: "the pod is found by these labels",
    },
    ...["podAnnotations", "serviceAccountAnnotations"].map((field) => ({
      wanted: registry({ [field]: { "connectedregistry.io/a": "x" } }),
      field: `spec.${field}`,
      says: "use others",
    })),
    {
      wanted: registry({ podSecurityContext: { runAsUser: 0 } }),
      field: "spec.podSecurityContext.runAsUser",
      says: "greater than or equal to 1",
    },
    {
      wanted: registry({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "zone" }] }),
      field: "spec.topologySpreadConstraints[0]",
      says: "whenUnsatisfiable",
    },
    {
      wanted: registry({ service: { loginServer: "Edge.example" } }),
      field: "spec.service.loginServer",
      says: "in lower case",
    },
    {
      wanted: registry({ resources: { limits: { memory: "lots" } } }),
      field: "spec.resources.limits",
      says: "such as 100m or 256Mi",
    },
    {
      wanted: registry({ clientTokenRefs: Array.from({ length: 51 }, (_, n) => ({ name: `token-${n}` })) }),
      field: "spec.clientTokenRefs",
      says: "must have at most 50 items",
    },
    { wanted: policy({ window: "PT1H" }), field: "spec", says: "set spec.schedule" },
    {
      wanted: policy({ window: "PT30M", schedule: "0 2 * * *" }),
      field: "spec.window",
      says: "from PT1H to P7D",
    },
    {
      wanted: policy({ window: "P8D", schedule: "0 2 * * *" }),
      field: "spec.window",
      says: "from PT1H to P7D",
    },
    {
      wanted: policy({ conflict: "ParentWins" }),
      field: "spec.conflict",
      says: "there are parentWins, localWins",
    },
    { wanted: policy({ schedule: "0 2 * *" }), field: "spec.schedule", says: "five fields of cron" },
    {
      wanted: policy({ windows: [{ schedule: "0 22 * * 5", window: "PT1H" }] }),
      field: "spec",
      says: "windows are for the syncs of a schedule",
    },
    {
      wanted: policy({ schedule: "0 2 * * *", windows: [{ schedule: "0 22 * *", window: "PT1H" }] }),
      field: "spec.windows[0].schedule",
      says: "give five fields of cron",
    },
    {
      wanted: policy({ schedule: "0 2 * * *", windows: [{ schedule: "0 22 * * 5", window: "PT30M" }] }),
      field: "spec.windows[0].window",
      says: "from PT1H to P7D",
    },
    {
      wanted: policy({ blackouts: [{ start: "24.12.2026", end: "2026-12-26" }] }),
      field: "spec.blackouts[0].start",
      says: "give a date or a date and time",
    },
    {
      wanted: policy({ blackouts: [{ start: "2026-12-26", end: "2026-12-24" }] }),
      field: "spec.blackouts[0]",
      says: "must not end before it starts",
    },
    {
      wanted: policy({ pollInterval: "60s", maxPollInterval: "30s" }),
      field: "spec",
      says: "must not be shorter than spec.pollInterval",
    },
    {
      wanted: policy({ maxPollInterval: "never" }),
      field: "spec.maxPollInterval",
      says: "such as 5s or 10m",
    },
    {
      wanted: policy({ prune: { gracePeriod: "59s" } }),
      field: "spec.prune.gracePeriod",
      says: "such as 24h",
    },
    {
      wanted: policy({ prune: { recoveryPeriod: "8761h" } }),
      field: "spec.prune.recoveryPeriod",
      says: "8760h",
    },
    {
      wanted: policy({ prune: { maxPercent: 0 } }),
      field: "spec.prune.maxPercent",
      says: "greater than or equal to 1",
    },
    {
      wanted: policy({ onDemand: { policy: "Always" } }),
      field: "spec.onDemand.policy",
      says: "there are Never",
    },
    {
      wanted: policy({ freshness: [{ check: "MaxAge" }] }),
      field: "spec.freshness[0]",
      says: "MaxAge needs maxAge",
    },
    {
      wanted: policy({ freshness: [{ check: "Always", maxAge: "1m" }] }),
      field: "spec.freshness[0]",
      says: "the others take none",
    },
    {
      wanted: policy({ freshness: [{ check: "Sometimes" }] }),
      field: "spec.freshness[0].check",
      says: "there are Never, MaxAge and Always",
    },
    {
      wanted: policy({ freshness: [{ check: "MaxAge", maxAge: "721h" }] }),
      field: "spec.freshness[0].maxAge",
      says: "from 1s to 720h",
    },
    {
      wanted: policy({ freshness: [{ check: "Never", tags: ["a:b"] }] }),
      field: "spec.freshness[0].tags[0]",
      says: "a tag or a pattern of one",
    },
    {
      wanted: policy({ freshness: [{ check: "Never", repositories: ["Apps"] }] }),
      field: "spec.freshness[0].repositories[0]",
      says: "in lower case",
    },
    { wanted: policy({ pollInterval: "0s" }), field: "spec.pollInterval", says: "such as 5s or 10m" },
    { wanted: policy({ pollInterval: "25h" }), field: "spec.pollInterval", says: "from 1s to 24h" },
    ...["fast", "16Ki0", "10k", "-1Mi", "2P"].map((bandwidth) => ({
      wanted: policy({ limits: { bandwidth } }),
      field: "spec.limits.bandwidth",
      says: "from 16Ki to 1P",
    })),
    {
      wanted: policy({ limits: { windows: [{ from: "8:00", to: "18:00" }] } }),
      field: "spec.limits.windows[0].from",
      says: "such as 08:00",
    },
    {
      wanted: policy({ limits: { windows: [{ from: "08:00", to: "24:00" }] } }),
      field: "spec.limits.windows[0].to",
      says: "from 00:00 to 23:59",
    },
    {
      wanted: policy({ limits: { windows: [{ from: "08:00", to: "18:00", bandwidth: "1" }] } }),
      field: "spec.limits.windows[0].bandwidth",
      says: "from 16Ki to 1P",
    },
    {
      wanted: policy({ limits: { windows: [{ from: "08:00", to: "18:00", days: ["Mon"] }] } }),
      field: "spec.limits.windows[0].days[0]",
      says: "Monday",
    },
    {
      wanted: policy({
        limits: { windows: Array.from({ length: 21 }, () => ({ from: "08:00", to: "09:00" })) },
      }),
      field: "spec.limits.windows",
      says: "must have at most 20 items",
    },
    {
      wanted: policy({ limits: { quota: { size: "0", period: "Day" } } }),
      field: "spec.limits.quota.size",
      says: "such as 20Gi",
    },
    {
      wanted: policy({ limits: { quota: { size: "1Gi", period: "Week" } } }),
      field: "spec.limits.quota.period",
      says: "Month",
    },
    {
      wanted: policy({}, { name: "apps/hello:1.0" }),
      field: "spec.repositories[0].name",
      says: "tags.include",
    },
    { wanted: policy({}, { name: "/apps" }), field: "spec.repositories[0].name", says: "no leading" },
    {
      wanted: policy({}, { tags: { include: ["a:b"] } }),
      field: "spec.repositories[0].tags.include[0]",
      says: "such as 1.* or v2",
    },
    {
      wanted: policy({}, { tags: { exclude: ["@"] } }),
      field: "spec.repositories[0].tags.exclude[0]",
      says: "such as 1.* or v2",
    },
    {
      wanted: policy({}, { tags: { include: ["latest"], semver: {} } }),
      field: "spec.repositories[0].tags",
      says: "add '*' to tags.include",
    },
    {
      wanted: policy({}, { tags: { newest: { count: 3, by: "Age" } } }),
      field: "spec.repositories[0].tags.newest.by",
      says: "Semver, Numerical and Alphabetical",
    },
    {
      wanted: policy({}, { tags: { newest: { count: 0 } } }),
      field: "spec.repositories[0].tags.newest.count",
      says: "greater than or equal to 1",
    },
    {
      wanted: policy({}, { tags: { expression: "a".repeat(256) } }),
      field: "spec.repositories[0].tags.expression",
      says: "Too long",
    },
    {
      wanted: policy({}, { tags: { expression: "v(" } }),
      field: "spec.repositories[0].tags.expression",
      says: "give a regular expression in RE2's syntax",
    },
    {
      wanted: policy({}, { maxSize: "0" }),
      field: "spec.repositories[0].maxSize",
      says: "give a size above zero and up to 1P, such as 2Gi",
    },
    {
      wanted: policy({}, { referrerTypes: ["a b"] }),
      field: "spec.repositories[0].referrerTypes[0]",
      says: "give a media type or a pattern of one",
    },
    {
      wanted: policy({}, { platforms: ["amd64"] }),
      field: "spec.repositories[0].platforms[0]",
      says: "such as linux/amd64",
    },
    ...[
      "repositories/a/*/b/content/read",
      "repositories/team*/content/read",
      "repositories/a/content/pull",
      "repositories/a..b/content/read",
      "a",
    ].map((action) => ({
      wanted: scopeMap(action),
      field: "spec.actions[0]",
      says: "write repositories/<name>/<action>",
    })),
    {
      wanted: scopeMap(...Array.from({ length: 501 }, (_, n) => `repositories/a${n}/content/read`)),
      field: "spec.actions",
      says: "must have at most 500 items",
    },
    { wanted: scopeMap(), field: "spec.actions", says: "should have at least 1 items" },
    {
      wanted: scopeMap("gateway/hall/config/read"),
      field: "spec.actions[0]",
      says: "given to the registries below this one by themselves",
    },
    {
      wanted: object("ScopeMap", { actions: [pullAll], description: "a".repeat(257) }),
      field: "spec.description",
      says: "Too long",
    },
    ...["SyncPolicy", "ScopeMap"].map((kind) => ({
      wanted: object(kind, {}, "abcd"),
      field: "spec",
      says: "Required value",
    })),
    ...["abcd", `a${"b".repeat(50)}`, "1abcd", "abcd-"].flatMap((name) => [
      { wanted: object("ClientToken", {}, name), field: "", says: "must be 5 to 50 lower-case letters" },
      {
        wanted: object("ScopeMap", { actions: [pullAll] }, name),
        field: "",
        says: "must be 5 to 50 lower-case letters",
      },
    ]),
    {
      wanted: clientToken({ password1: { enabled: false, secretRef: { name: "mine" } } }),
      field: "spec.passwords.password1",
      says: "remove secretRef, or set enabled to true",
    },
    {
      wanted: clientToken({ password2: { secretRef: {} } }),
      field: "spec.passwords.password2.secretRef.name",
      says: "Required value",
    },
    ...[
      { publish: {}, field: "spec.publish.namespaces", says: "Required value" },
      {
        publish: { namespaces: ["Plant"] },
        field: "spec.publish.namespaces[0]",
        says: "or * for all that accept",
      },
      {
        publish: { namespaces: Array.from({ length: 101 }, (_, n) => `a${n}`) },
        field: "spec.publish.namespaces",
        says: "must have at most 100 items",
      },
      {
        publish: { namespaces: ["a"], secretName: "A_b" },
        field: "spec.publish.secretName",
        says: "give the name of a Secret",
      },
    ].map(({ publish, ...row }) => ({ wanted: object("ClientToken", { publish }), ...row })),
    {
      wanted: clientToken({ password1: { expiry: "tomorrow" } }),
      field: "spec.passwords.password1.expiry",
      says: "must be of type date-time",
    },
  ])("$wanted.kind: $field … $says", async ({ wanted, field, says }) => {
    const message = await refusal(wanted);
    expect(message).toContain(field);
    expect(message).toContain(says);
  });

  it.each([
    {
      wanted: registry({ clientTokenRefs: Array.from({ length: 50 }, (_, n) => ({ name: `token-${n}` })) }),
      because: "50 tokens",
    },
    { wanted: registry({}, `a${"b".repeat(39)}`), because: "a name of 40" },
    { wanted: registry({}, "abcde"), because: "a name of 5" },
    { wanted: withParent({ loginServer: "[fd00::1]:5000" }), because: "an address as parent" },
    {
      wanted: scopeMap(...Array.from({ length: 500 }, (_, n) => `repositories/a${n}/content/read`)),
      because: "500 actions",
    },
    { wanted: scopeMap("Repositories/A/*/Content/Read"), because: "letter case does not matter, as in ACR" },
    {
      wanted: object("ScopeMap", { actions: [pullAll], description: "a".repeat(256) }),
      because: "256 characters of description",
    },
    {
      wanted: object("ScopeMap", { actions: [pullAll] }, `a${"b".repeat(49)}`),
      because: "a scope map of 50",
    },
    { wanted: object("ClientToken", {}, `a${"b".repeat(49)}`), because: "a token of 50, without anything" },
    {
      wanted: object("ClientToken", {
        publish: { namespaces: ["*", ...Array.from({ length: 99 }, (_, n) => `a${n}`)], secretName: "a.b" },
      }),
      because: "a hundred namespaces",
    },
    { wanted: object("ClientToken", {}, "abcde"), because: "a token of 5" },
    {
      wanted: clientToken({ password1: { enabled: false }, password2: { secretRef: { name: "mine" } } }),
      because: "one password, brought along",
    },
    { wanted: policy({ conflict: "keepBoth" }), because: "both changes of a tag count" },
    { wanted: policy({ schedule: "0 2 * * *", window: "P6DT23H59M" }), because: "a window of almost a week" },
    {
      wanted: policy({
        onDemand: { policy: "Any" },
        freshness: [
          { tags: ["v*"], check: "Never" },
          { repositories: ["apps/**"], check: "MaxAge", maxAge: "720h" },
          { check: "Always" },
        ],
      }),
      because: "each kind of freshness",
    },
    { wanted: policy({ pollInterval: "86400s" }), because: "a day in seconds" },
    {
      wanted: policy({
        schedule: "0 2 * * *",
        windows: Array.from({ length: 20 }, () => ({ schedule: "0 22 * * 5", window: "P7D" })),
        blackouts: Array.from({ length: 50 }, () => ({ start: "2026-12-24T18:00", end: "2026-12-24" })),
      }),
      because: "twenty windows and fifty blackouts, each within a day",
    },
    {
      wanted: policy({
        pollInterval: "5s",
        maxPollInterval: "24h",
        prune: { enabled: true, gracePeriod: "1m", recoveryPeriod: "8760h", maxPercent: 100 },
      }),
      because: "the longest rest, and everything pruned that is missing",
    },
    {
      wanted: policy({
        limits: {
          bandwidth: "16Ki",
          windows: Array.from({ length: 20 }, () => ({ from: "22:00", to: "06:00", days: ["Sunday"] })),
          quota: { size: "1P", period: "Month" },
        },
      }),
      because: "the narrowest link, twenty windows and the greatest quota",
    },
    {
      wanted: policy({}, { tags: { expression: "v\\d{1,3}", excludeExpression: "(a{10}" } }),
      because: "what the operator has to judge",
    },
    {
      wanted: policy({}, { tags: { include: ["latest", "*"], semver: {}, newest: { count: 10_000 } } }),
      because: "the newest versions beside a tag by name",
    },
    ...["PT1H", "P7D"].map((window) => ({
      wanted: synced({ sync: { schedule: "0 2 * * *", window } }),
      because: `a window of ${window}, an end of what ACR allows`,
    })),
    {
      wanted: registry({
        garbageCollection: { gracePeriod: "87600h" },
        retention: Array.from({ length: 100 }, () => ({
          repositories: Array.from({ length: 20 }, (_, i) => `apps/a${i}`),
          tags: Array.from({ length: 10 }, () => ({ include: ["*"], keepPulledWithin: "1m" })),
          deleteUntaggedAfter: "87600h",
        })),
        quotas: Array.from({ length: 100 }, () => ({ repositories: "**", size: "1P" })),
        scrub: { bandwidth: "64Ki" },
      }),
      because: "rules for content, as many as there may be",
    },
  ])("but takes what is just allowed: $because", async ({ wanted }) => {
    expect(await refusal(wanted)).toBe("accepted");
  });
});

describe("refuses a change", () => {
  let changes = 0;

  it.each([
    { from: { storage: { size: "2Gi" } }, to: { storage: { size: "1Gi" } }, says: "a volume cannot shrink" },
    {
      from: { storage: { storageClassName: "a" } },
      to: { storage: { storageClassName: "b" } },
      says: "cannot change",
    },
    {
      from: {},
      to: { storage: { storageClassName: "b" } },
      says: "the storage class of a volume cannot change",
    },
    {
      from: { storage: { existingClaim: "first" } },
      to: { storage: { existingClaim: "other" } },
      says: "the volume of a registry cannot change",
    },
    {
      from: {},
      to: { storage: { existingClaim: "first" } },
      says: "keep existingClaim as it is",
    },
    {
      from: {},
      to: { storage: { accessMode: "ReadWriteOncePod" } },
      says: "the access mode of a volume cannot change",
    },
    {
      from: { service: { clusterIP: "10.96.0.8" } },
      to: { service: { clusterIP: "10.96.0.9" } },
      says: "the address of a Service cannot change",
    },
    {
      from: { service: { type: "LoadBalancer", loadBalancerClass: "example.com/a" } },
      to: { service: { type: "LoadBalancer" } },
      says: "the class of a load balancer cannot change",
    },
  ])("$to: $says", async ({ from, to, says }) => {
    changes += 1;
    const name = `change-${changes}`;
    expect(await refusal(registry(from, name))).toBe("accepted");
    expect(await refusal(registry(to, name))).toContain(says);
  });

  it("but lets a load balancer get another class by way of none", async () => {
    for (const service of [
      { type: "LoadBalancer", loadBalancerClass: "example.com/a" },
      { type: "ClusterIP" },
      { type: "LoadBalancer", loadBalancerClass: "example.com/b" },
    ]) {
      expect(await refusal(registry({ service }, "rebalanced"))).toBe("accepted");
    }
  });

  it("but lets a volume grow", async () => {
    expect(await refusal(registry({ storage: { size: "2048Mi" } }, "growing"))).toBe("accepted");
    expect(await refusal(registry({ storage: { size: "3Gi" } }, "growing"))).toBe("accepted");
  });

  it("but lets the size fall that only bounds what is stored, and the access mode be said that it is", async () => {
    const existing = (size: string) => registry({ storage: { existingClaim: "of-mine", size } }, "bounded");
    expect(await refusal(existing("3Gi"))).toBe("accepted");
    expect(await refusal(existing("2Gi"))).toBe("accepted");
    expect(await refusal(registry({}, "said-later"))).toBe("accepted");
    const said = registry({ storage: { accessMode: "ReadWriteOnce" } }, "said-later");
    expect(await refusal(said)).toBe("accepted");
  });
});

/** What `kubectl get` shows, as the API server makes it. */
interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[];
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

describe("kubectl get shows, as Azure's tables do,", () => {
  const condition = {
    type: "Ready",
    status: "True",
    reason: "Ready",
    message: "It is.",
    lastTransitionTime: "2026-11-21T08:00:00Z",
  };
  const ready = { observedGeneration: 1, conditions: [condition] };

  it.each([
    {
      wanted: object(
        "ConnectedRegistry",
        { parent: { registry: { loginServer: "contoso.azurecr.io" } } },
        "shown-edge",
      ),
      short: "creg",
      status: {
        ...ready,
        provisioningState: "Succeeded",
        connectionState: "Online",
        parent: {
          kind: "Registry",
          name: "contoso.azurecr.io",
          endpoint: "contoso.azurecr.io",
          protocol: "https",
        },
        loginServer: { host: "edge.contoso.example", tls: { status: "Enabled" } },
        activation: { status: "Active" },
        version: "0.1.0",
      },
      cells: {
        Mode: "ReadOnly",
        "Connection State": "Online",
        Parent: "contoso.azurecr.io",
        "Login Server": "edge.contoso.example",
        "Last Sync": null,
      },
      wide: { Activation: "Active", Version: "0.1.0", "Provisioning State": "Succeeded", Ready: "True" },
    },
    {
      wanted: object(
        "SyncPolicy",
        { repositories: [{ name: "apps/*" }], schedule: "0 2 * * *" },
        "shown-policy",
      ),
      short: "spol",
      status: ready,
      cells: { Schedule: "0 2 * * *", "Time Zone": "UTC", Window: null, Ready: "True" },
      wide: {},
    },
    {
      wanted: object("ScopeMap", { actions: [pullAll], description: "Pull all" }, "shown-map"),
      short: "smap",
      status: { ...ready, provisioningState: "Succeeded" },
      cells: { Description: "Pull all" },
      wide: { "Provisioning State": "Succeeded", Ready: "True" },
    },
    {
      wanted: object("ClientToken", { scopeMapRef: { name: "shown-map" } }, "shown-token"),
      short: "ctok",
      status: {
        ...ready,
        provisioningState: "Succeeded",
        passwords: {
          password1: { creationTime: "2026-11-21T08:00:00Z", expiry: "Never" },
          password2: { expiry: "None" },
        },
      },
      cells: {
        "Scope Map": "shown-map",
        "Password1 Expiry": "Never",
        "Password2 Expiry": "None",
        Status: "enabled",
        "Provisioning State": "Succeeded",
      },
      wide: { Ready: "True" },
    },
  ])("a $wanted.kind", async ({ wanted, short, status, cells, wide }) => {
    await api.apply(pathOf(wanted), wanted);
    const { apiVersion, kind, metadata } = wanted;
    await api.apply(`${pathOf(wanted)}/status`, { apiVersion, kind, metadata, status });
    const { columnDefinitions, rows } = JSON.parse(
      await api.get(pathOf(wanted), "application/json;as=Table;v=v1;g=meta.k8s.io"),
    ) as Table;
    const shown = (alsoWide: boolean): Readonly<Record<string, unknown>> =>
      Object.fromEntries(
        columnDefinitions
          .map(({ name, priority }, at) => ({ name, priority, cell: rows[0]?.cells[at] }))
          .filter(({ name, priority }) => priority > 0 === alsoWide && name !== "Age")
          .map(({ name, cell }) => [name, cell]),
      );
    expect(Object.entries(shown(false))).toEqual(Object.entries({ Name: metadata.name, ...cells }));
    expect(shown(true)).toMatchObject(wide);
    const { resources } = JSON.parse(await api.get(group)) as {
      resources: { kind: string; shortNames?: readonly string[] }[];
    };
    expect(resources.filter(({ shortNames }) => shortNames?.includes(short)).map((one) => one.kind)).toEqual([
      kind,
    ]);
  });
});
