import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, seconds, systemClock } from "../../common/clock.ts";
import { settingsKey } from "../../common/contract/config.ts";
import { ClientTokenKind, type ClientToken } from "../../operator/api/clienttoken.gen.ts";
import { ConnectedRegistryKind, type ConnectedRegistry } from "../../operator/api/connectedregistry.gen.ts";
import { LeaseKind, RoleBindingKind, SecretKind, type Secret } from "../../operator/api/kubernetes.ts";
import { ScopeMapKind, type ScopeMap } from "../../operator/api/scopemap.gen.ts";
import { startRealOperator, type RealOperator } from "../../operator/controllers/testing/real-operator.ts";
import { valueOf } from "../../operator/resources/secret-data.ts";
import { timestamp } from "../../operator/status/conditions.ts";
import { RegistryProcess } from "../../registry/testing/registry-process.ts";
import { provide } from "../components/provide.ts";
import { silentProgress } from "../terminal/progress.ts";
import { eventually } from "./eventually.ts";
import { Kubectl } from "./kubectl.ts";
import type { PodPlace } from "./registry-pod.ts";

const apiVersion = "connectedregistry.io/v1alpha1";
const place = { namespace: "edge", name: "contoso-edge" };
const patience = 60_000;
const program = join(import.meta.dirname, "registry-pod.ts");

let operator: RealOperator;
let folder: string;
let registry: RegistryProcess;
let base: string;
/** The milliseconds that each way of taking rights away took. */
const measured: string[] = [];

const scopeMap = (name: string, ...actions: readonly string[]): ScopeMap => ({
  apiVersion,
  kind: "ScopeMap",
  metadata: { name, namespace: place.namespace },
  spec: { actions },
});
const token = (name: string, spec: object = {}, annotations: Readonly<Record<string, string>> = {}) =>
  ({
    apiVersion,
    kind: "ClientToken",
    metadata: { name, namespace: place.namespace, annotations },
    spec: { scopeMapRef: { name: mapOf(name) }, ...spec },
  }) as ClientToken;
const connected = (names: readonly string[]) =>
  ({
    apiVersion,
    kind: "ConnectedRegistry",
    metadata: place,
    spec: { clientTokenRefs: names.map((name) => ({ name })) },
  }) as unknown as ConnectedRegistry;
const mapOf = (name: string): string => `${name}-map`;
const reading = "repositories/*/content/read";

interface Row {
  readonly because: string;
  readonly name: string;
  /** Resolves when the API server has taken it, or when the time has come. */
  readonly revoke: (name: string) => Promise<void>;
  /** As what the token is refused then: it is nobody's, or may not do this. */
  readonly status: 401 | 403;
  readonly spec?: object;
}

const apply = (object: ClientToken | ScopeMap): Promise<unknown> =>
  object.kind === "ClientToken"
    ? operator.user.apply(ClientTokenKind, object)
    : operator.user.apply(ScopeMapKind, object);
const keyOf = (name: string) => ({ namespace: place.namespace, name });

const rows: readonly Row[] = [
  {
    because: "the token is disabled",
    name: "disabled",
    revoke: async (name) => {
      await apply(token(name, { status: "disabled" }));
    },
    status: 401,
  },
  {
    because: "the token is deleted",
    name: "deleted",
    revoke: (name) => operator.user.delete(ClientTokenKind, keyOf(name)),
    status: 401,
  },
  {
    because: "the registry no longer refers to the token",
    name: "left-out",
    revoke: async (name) => {
      const others = rows.map((row) => row.name).filter((other) => other !== name);
      await operator.user.apply(ConnectedRegistryKind, connected(others));
    },
    status: 401,
  },
  {
    because: "its passwords expire",
    name: "expiring",
    revoke: async (name) => {
      const end = systemClock.now().plus(seconds(3)).startOf("second");
      const expiry = { expiry: timestamp(end) };
      await apply(token(name, { passwords: { password1: expiry, password2: expiry } }));
      await systemClock.sleep(end.diff(systemClock.now()));
    },
    status: 401,
  },
  {
    because: "its password is replaced",
    name: "rotated",
    // The only one: otherwise it is not replaced before the other has settled.
    spec: { passwords: { password2: { enabled: false } } },
    revoke: async (name) => {
      const request = { "connectedregistry.io/rotate-password1": "now" };
      await apply(token(name, { passwords: { password2: { enabled: false } } }, request));
    },
    status: 401,
  },
  {
    because: "its password is no longer enabled",
    name: "without",
    revoke: async (name) => {
      await apply(token(name, { passwords: { password1: { enabled: false } } }));
    },
    status: 401,
  },
  {
    because: "the Secret with its passwords is deleted",
    name: "forgotten",
    revoke: (name) => operator.user.delete(SecretKind, keyOf(`${name}-credentials`)),
    status: 401,
  },
  {
    because: "its scope map allows less",
    name: "narrowed",
    revoke: async (name) => {
      await apply(scopeMap(mapOf(name), "repositories/other/content/read"));
    },
    status: 403,
  },
  {
    because: "its scope map is deleted",
    name: "unscoped",
    revoke: (name) => operator.user.delete(ScopeMapKind, keyOf(mapOf(name))),
    status: 403,
  },
];

async function secret(name: string): Promise<Secret> {
  return eventually(`the Secret ${name}`, patience, () => operator.user.get(SecretKind, keyOf(name)));
}

beforeAll(async () => {
  const kubectl = await provide(["kubectl"], silentProgress, AbortSignal.timeout(590_000)).kubectl;
  operator = await startRealOperator();
  await operator.namespace(place.namespace);
  for (const { name, spec } of rows) {
    await apply(scopeMap(mapOf(name), reading));
    await apply(token(name, spec));
  }
  await operator.user.apply(ConnectedRegistryKind, connected(rows.map(({ name }) => name)));
  folder = await mkdtemp(join(tmpdir(), "revocation-"));
  await mkdir(join(folder, "data"));
  const files = { settings: join(folder, "settings.json"), token: join(folder, "token") };
  const settings = await secret(`${place.name}-config`);
  await writeFile(files.settings, valueOf(settings, settingsKey) ?? "");
  await eventually("its rights", patience, () => operator.user.get(RoleBindingKind, place));
  await eventually("its Lease", patience, () => operator.user.get(LeaseKind, place));
  const create = ["create", "token", place.name, "-n", place.namespace];
  await writeFile(files.token, await new Kubectl(kubectl, operator.plane.kubeconfig).run(create));
  await writeFile(join(folder, "ca.crt"), operator.plane.access.caPem);
  const { server } = operator.plane.access;
  const pod: PodPlace = {
    api: { server, tokenFile: files.token, caFile: join(folder, "ca.crt") },
    place,
    podName: "contoso-edge-0",
    mounted: files.settings,
    data: join(folder, "data"),
  };
  registry = new RegistryProcess([JSON.stringify(pod)], {}, ["--no-warnings", program]);
  base = await registry.url();
}, 600_000);

afterAll(async () => {
  await registry.stop();
  await operator.stop();
  await rm(folder, { recursive: true });
  process.stdout.write(`until a right was gone, of 5000 ms:\n${measured.join("\n")}\n`);
});

const look = async (authorization: string): Promise<number> =>
  (await fetch(`${base}/v2/a/manifests/none`, { headers: { authorization } })).status;

/** How a client may come: with its password each time, or with what it got for it. */
async function headersOf(name: string): Promise<readonly string[]> {
  const credentials = await secret(`${name}-credentials`);
  const password = valueOf(credentials, "password1") ?? "";
  const basic = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
  await eventually(`${name} is known`, patience, async () =>
    (await look(basic)) === 404 ? true : undefined,
  );
  const answer = await fetch(`${base}/oauth2/token?scope=repository:a:pull`, {
    headers: { authorization: basic },
  });
  return [basic, `Bearer ${((await answer.json()) as { token: string }).token}`];
}

/** @returns as what it was refused in the end, and after how many milliseconds */
async function untilRefused(authorization: string, start: number): Promise<readonly [number, number]> {
  for (;;) {
    const status = await look(authorization);
    const passed = performance.now() - start;
    if (status !== 404 || passed > 20_000) return [status, passed];
    await systemClock.sleep(milliseconds(50));
  }
}

test.each(rows)(
  "S28 nobody is let in five seconds after the API server has taken it: $because",
  async ({ because, name, revoke, status }) => {
    const headers = await headersOf(name);
    expect(await Promise.all(headers.map(look))).toEqual([404, 404]);
    await revoke(name);
    const start = performance.now();
    const refused = await Promise.all(headers.map((header) => untilRefused(header, start)));
    measured.push(
      `${Math.max(...refused.map(([, passed]) => passed))
        .toFixed(0)
        .padStart(6)}  ${because}`,
    );
    expect(refused.map(([is]) => is)).toEqual([status, status]);
    for (const [, passed] of refused) expect(passed).toBeLessThan(5000);
  },
);
