import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { systemClock, milliseconds, seconds } from "../../common/clock.ts";
import { exponential } from "../../common/backoff.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { kubeApi, type KubeApi } from "../../e2e/cluster/kube-api.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { startTestControlPlane, type TestControlPlane } from "../../e2e/harness/test-control-plane.ts";
import type { ApiServer } from "./api-server.ts";
import { fromKubeconfig } from "./client-node.ts";
import { describeKubeClient, WidgetKind, type Widget } from "./conformance.ts";
import { Informers } from "./informers.ts";
import { RejectedError, type Kind, type KubeObject } from "./kube.ts";
import { RestClient } from "./rest-client.ts";
import { faulty } from "./testing/faulty.ts";
import { CuttableProxy } from "./testing/cuttable-proxy.ts";
import type { WatchScope } from "./watch.ts";

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}
const SecretKind: Kind<Secret> = { apiVersion: "v1", kind: "Secret", plural: "secrets", namespaced: true };

let plane: TestControlPlane;
let admin: KubeApi;
let api: ApiServer;
let requests: string[];
const stops: AbortController[] = [];

beforeAll(async () => {
  plane = await startTestControlPlane();
  admin = kubeApi(plane.access);
  await admin.apply(
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.conformance.connectedregistry.io",
    widgetDefinition,
  );
  await eventually("the new kind", 20_000, () =>
    admin.get("/apis/conformance.connectedregistry.io/v1/widgets"),
  );
});

afterAll(() => plane.stop());

beforeEach(() => {
  requests = [];
  api = fromKubeconfig(plane.kubeconfig, (method, status) => requests.push(`${method} ${String(status)}`));
});

afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

async function newNamespace(): Promise<string> {
  const name = `t-${randomUUID()}`;
  await admin.apply(`/api/v1/namespaces/${name}`, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  });
  return name;
}

function informersOf(from: ApiServer, scope: WatchScope = {}): Informers {
  return new Informers(from, () => scope, {
    clock: systemClock,
    backoff: exponential(milliseconds(50), seconds(1), () => 0),
    log: silentLog,
  });
}

function start(informers: Informers): void {
  const stop = new AbortController();
  stops.push(stop);
  void informers.run(stop.signal);
}

// Owner references are left out of the suite: the garbage collector is part of the controller-manager.
describeKubeClient("RestClient with Informers", async () => {
  const informers = informersOf(api);
  return {
    namespaces: [await newNamespace(), await newNamespace()],
    as: (manager) => new RestClient(api, manager),
    watcher: informers,
    start: () => {
      start(informers);
    },
  };
});

describe("RestClient", () => {
  const widget = (namespace: string, size: unknown): Widget => ({
    apiVersion: WidgetKind.apiVersion,
    kind: "Widget",
    metadata: { name: "a", namespace },
    spec: { size: size as number },
  });

  test.each([
    {
      name: "a kind that is not there",
      because: "its definition is not installed",
      kind: { ...WidgetKind, plural: "gadgets" },
      object: (namespace: string) => widget(namespace, 1),
      status: 404,
    },
    {
      name: "a namespace that is not there",
      because: "it vanished, or the user mistyped it",
      kind: WidgetKind,
      object: () => widget("nowhere", 1),
      status: 404,
    },
    {
      name: "a value that the schema forbids",
      because: "what we made is wrong, and will be the next time",
      kind: WidgetKind,
      object: (namespace: string) => widget(namespace, -1),
      status: 422,
    },
  ])("says of $name that it was rejected, since $because", async ({ kind, object, status }) => {
    const namespace = await newNamespace();
    const client = new RestClient(api, "operator");
    const rejected = client.apply(kind, object(namespace));
    await expect(rejected).rejects.toBeInstanceOf(RejectedError);
    await expect(rejected).rejects.toMatchObject({ status });
  });

  it("refuses a field that the kind does not have", async () => {
    const client = new RestClient(api, "operator");
    const object = { ...widget(await newNamespace(), 1), spek: {} };
    await expect(client.create(WidgetKind, object)).rejects.toThrow(/unknown field "spek"/);
    await expect(client.apply(WidgetKind, object)).rejects.toThrow(/spek/);
  });

  it("reads a list page by page, as of one moment", async () => {
    const namespace = await newNamespace();
    const client = new RestClient(api, "operator");
    const names = Array.from({ length: 1201 }, (_, at) => `w${String(at).padStart(4, "0")}`);
    for (let at = 0; at < names.length; at += 50) {
      await Promise.all(
        names.slice(at, at + 50).map((name) => {
          const made = widget(namespace, 1);
          return client.create(WidgetKind, { ...made, metadata: { namespace, name } });
        }),
      );
    }
    requests.length = 0;
    const listed = await client.list(WidgetKind, namespace);
    expect(listed.map(({ metadata }) => metadata.name).sort()).toEqual(names);
    expect(requests).toEqual(["GET 200", "GET 200", "GET 200"]);
  });
});

describe("Informers", () => {
  const secret = (namespace: string, name: string, labels: Record<string, string> = {}): Secret => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    data: { value: "czNjcjN0" },
  });

  it("follows only what has the labels, and reads the rest from the API server", async () => {
    const namespace = await newNamespace();
    const client = new RestClient(api, "operator");
    const labels = { "app.kubernetes.io/instance": namespace };
    await client.apply(SecretKind, secret(namespace, "ours", labels));
    await client.apply(SecretKind, secret(namespace, "theirs"));
    const informers = informersOf(api, { labelSelector: `app.kubernetes.io/instance=${namespace}` });
    const seen: string[] = [];
    informers.watch(SecretKind, (_, after) => seen.push(after?.metadata.name ?? "-"));
    start(informers);
    const live: string[] = [];
    const counted = faulty(client, { get: (kind, key) => (live.push(key.name), client.get(kind, key)) });
    const reader = informers.reader(counted);
    await informers.synced(SecretKind);
    await expect(reader.get(SecretKind, { namespace, name: "ours" })).resolves.toMatchObject({
      metadata: { labels },
    });
    await expect(reader.get(SecretKind, { namespace, name: "theirs" })).resolves.toBeDefined();
    expect(live).toEqual(["theirs"]);
    expect(seen).toEqual(["ours"]);
  });

  it("keeps no content of what it follows by metadata alone, and reads it from the API server", async () => {
    const namespace = await newNamespace();
    const client = new RestClient(api, "operator");
    const made = await client.apply(SecretKind, secret(namespace, "theirs"));
    const informers = informersOf(api, { metadataOnly: true, namespaces: [namespace] });
    const seen: Secret[] = [];
    const gone = Promise.withResolvers<undefined>();
    informers.watch(SecretKind, (_, after) => {
      if (after === undefined) gone.resolve(undefined);
      else seen.push(after);
    });
    start(informers);
    await informers.synced(SecretKind);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toEqual({ apiVersion: "v1", kind: "Secret", metadata: made.metadata });
    await expect(informers.reader(client).get(SecretKind, { namespace, name: "theirs" })).resolves.toEqual(
      made,
    );
    await client.delete(SecretKind, { namespace, name: "theirs" });
    await gone.promise;
  });

  it("takes a list of no metadata for an empty one", async () => {
    const informers = informersOf(api, { metadataOnly: true, namespaces: [await newNamespace()] });
    informers.watch(SecretKind, () => undefined);
    start(informers);
    await expect(informers.synced(SecretKind)).resolves.toBeUndefined();
  });

  it("follows each of several namespaces, and no other", async () => {
    const [one, two, three] = [await newNamespace(), await newNamespace(), await newNamespace()];
    const client = new RestClient(api, "operator");
    for (const namespace of [one, two, three]) await client.apply(SecretKind, secret(namespace, "s"));
    const informers = informersOf(api, { namespaces: [one, two] });
    informers.watch(SecretKind, () => undefined);
    start(informers);
    const listed = await informers.reader(client).list(SecretKind);
    expect(listed.map(({ metadata }) => metadata.namespace).sort()).toEqual([one, two].sort());
  });

  describe("behind a link that breaks", () => {
    let proxy: CuttableProxy;
    let proxied: ApiServer;
    let namespace: string;
    let client: RestClient;
    let changes: string[];
    let informers: Informers;

    beforeEach(async () => {
      const { port } = new URL(plane.access.server);
      proxy = await CuttableProxy.start(Number(port));
      const kubeconfig = `${plane.kubeconfig}-proxied`;
      await writeFile(
        kubeconfig,
        (await readFile(plane.kubeconfig, "utf8")).replaceAll(`:${port}`, `:${proxy.port}`),
      );
      namespace = await newNamespace();
      client = new RestClient(api, "operator");
      proxied = fromKubeconfig(kubeconfig, (method, status) => requests.push(`${method} ${String(status)}`));
      informers = informersOf(proxied, { namespaces: [namespace] });
      changes = [];
      informers.watch(WidgetKind, (before, after) => {
        changes.push(describeChange(before, after));
      });
      start(informers);
      await informers.synced(WidgetKind);
    });

    afterEach(() => proxy.stop());

    const set = async (name: string, size: number): Promise<void> => {
      const metadata = { namespace, name };
      await client.apply(WidgetKind, {
        apiVersion: WidgetKind.apiVersion,
        kind: "Widget",
        metadata,
        spec: { size },
      });
    };
    const seen = async (change: string): Promise<void> => {
      await eventually(change, 30_000, async () => (changes.includes(change) ? true : undefined), 20);
    };

    it("tells what happened while the link was cut, and each change once", async () => {
      await set("a", 1);
      await set("b", 1);
      await seen("b: - → 1");
      proxy.cut();
      await set("a", 2);
      await client.delete(WidgetKind, { namespace, name: "b" });
      await set("c", 1);
      proxy.mend();
      await seen("c: - → 1");
      expect(changes.sort()).toEqual(["a: - → 1", "a: 1 → 2", "b: - → 1", "b: 1 → -", "c: - → 1"]);
    });

    it("goes on after the API server was restarted", async () => {
      await set("a", 1);
      await seen("a: - → 1");
      await plane.restartApiServer();
      await set("a", 2);
      await seen("a: 1 → 2");
      expect(changes).toEqual(["a: - → 1", "a: 1 → 2"]);
    });

    it("lists anew when the API server has forgotten what happened since (410)", async () => {
      const clock = new ManualClock();
      const lines: string[] = [];
      const patient = new Informers(proxied, () => ({ namespaces: [namespace] }), {
        clock,
        backoff: () => seconds(1),
        log: {
          ...silentLog,
          with: () => ({ ...silentLog, debug: (_, fields) => lines.push(JSON.stringify(fields)) }),
        },
      });
      const told: string[] = [];
      patient.watch(WidgetKind, (before, after) => told.push(describeChange(before, after)));
      await set("a", 1);
      await set("b", 1);
      start(patient);
      await patient.synced(WidgetKind);
      proxy.cut();
      for (let size = 2; size <= 5; size++) await set("a", size);
      await client.delete(WidgetKind, { namespace, name: "b" });
      // A restarted API server has no history of its own: it begins with the present.
      await plane.restartApiServer();
      await set("c", 1);
      proxy.mend();
      await eventually("a fresh list", 30_000, async () => {
        await clock.advance(seconds(1));
        return told.includes("c: - → 1") ? true : undefined;
      });
      expect(told.sort()).toEqual(["a: - → 1", "a: 1 → 5", "b: - → 1", "b: 1 → -", "c: - → 1"]);
      expect(lines.join()).toMatch(/too old resource version.*"relist":true/);
    });

    it("keeps what it has and answers from it while the API server cannot be reached", async () => {
      await set("a", 1);
      await seen("a: - → 1");
      proxy.cut();
      await expect(informers.reader(client).get(WidgetKind, { namespace, name: "a" })).resolves.toMatchObject(
        {
          spec: { size: 1 },
        },
      );
      expect(informers.ready()).toBe(true);
      proxy.mend();
    });
  });
});

function describeChange(before: Widget | undefined, after: Widget | undefined): string {
  const size = (widget: Widget | undefined): string => String(widget?.spec?.size ?? "-");
  return `${(after ?? before)!.metadata.name}: ${size(before)} → ${size(after)}`;
}

const widgetDefinition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.conformance.connectedregistry.io" },
  spec: {
    group: "conformance.connectedregistry.io",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                "x-kubernetes-preserve-unknown-fields": true,
                properties: { size: { type: "integer", minimum: 0 } },
              },
              status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
            },
          },
        },
      },
    ],
  },
};
