import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { exponential } from "../../../common/backoff.ts";
import { milliseconds, seconds, systemClock } from "../../../common/clock.ts";
import { createMetrics } from "../../../common/metrics.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { kubeApi } from "../../../e2e/cluster/kube-api.ts";
import { eventually } from "../../../e2e/harness/eventually.ts";
import { startTestControlPlane, type TestControlPlane } from "../../../e2e/harness/test-control-plane.ts";
import { ClientTokenKind } from "../../api/clienttoken.gen.ts";
import { ConnectedRegistryKind } from "../../api/connectedregistry.gen.ts";
import { ScopeMapKind } from "../../api/scopemap.gen.ts";
import { SyncPolicyKind } from "../../api/syncpolicy.gen.ts";
import { followedScope } from "../../followed.ts";
import { managedBy } from "../../resources/names.ts";
import { fromKubeconfig } from "../../runtime/client-node.ts";
import { Controller } from "../../runtime/controller.ts";
import { Informers } from "../../runtime/informers.ts";
import type { Happening } from "../../runtime/events.ts";
import {
  keyOf,
  type Kind,
  type KubeClient,
  type KubeObject,
  type NamespacedName,
} from "../../runtime/kube.ts";
import { RuntimeMetrics } from "../../runtime/metrics.ts";
import { RestClient } from "../../runtime/rest-client.ts";
import { StatusHistory } from "../../status/testing/history.ts";
import { soundClient } from "../../status/testing/sound-client.ts";
import { controllers } from "../all.ts";
import { defaultLimits } from "../limits.ts";

/** All our controllers, in the namespace `operator` of a real API server; nothing else runs there. */
export interface RealOperator {
  readonly plane: TestControlPlane;
  readonly user: RestClient;
  /** Writes what a registry's pod writes. */
  readonly pod: RestClient;
  /** Every request of the operator that was not a GET: its method and status. */
  readonly writes: string[];
  /** Every status that the operator wrote: `stop` rejects if one was not sound. */
  readonly history: StatusHistory;
  /** Every Event that the operator told. */
  readonly happenings: (Happening & NamespacedName & { readonly kind: string })[];
  /** Somebody else who applies objects. */
  as(fieldManager: string): RestClient;
  namespace(name: string): Promise<void>;
  /** Ends the operator, or starts it again; what it has made stays. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

/** The kinds that are ours. */
export const ourKinds: readonly Kind<KubeObject>[] = [
  ConnectedRegistryKind,
  SyncPolicyKind,
  ScopeMapKind,
  ClientTokenKind,
];
const crds = join(import.meta.dirname, "../../../crds");

export async function startRealOperator(): Promise<RealOperator> {
  const plane = await startTestControlPlane();
  const admin = kubeApi(plane.access);
  for (const file of readdirSync(crds).filter((name) => name.endsWith(".yaml"))) {
    const crd = load(readFileSync(join(crds, file), "utf8")) as KubeObject;
    await admin.apply(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`, crd);
  }
  await eventually("the kinds", 30_000, async () => {
    for (const { plural } of ourKinds) await admin.get(`/apis/connectedregistry.io/v1alpha1/${plural}`);
    return true;
  });
  const namespace = async (name: string): Promise<void> => {
    const wanted = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
    await admin.apply(`/api/v1/namespaces/${name}`, wanted);
  };
  await namespace("operator");
  const writes: string[] = [];
  const history = new StatusHistory();
  const happenings: RealOperator["happenings"] = [];
  const seen = { writes, history, happenings };
  let stopOperator = startControllers(plane.kubeconfig, seen);
  const as = (manager: string): RestClient =>
    new RestClient(
      fromKubeconfig(plane.kubeconfig, () => undefined),
      manager,
    );
  const stop = async (): Promise<void> => {
    await stopOperator();
    await plane.stop();
    history.expectNoFaults();
  };
  const pause = (): Promise<void> => stopOperator();
  const resume = (): void => {
    stopOperator = startControllers(plane.kubeconfig, seen);
  };
  const people = { user: as("kubectl"), pod: as("connected-registry"), as };
  return { plane, ...people, ...seen, namespace, pause, resume, stop };
}

/** @returns what stops them */
function startControllers(
  kubeconfig: string,
  { writes, history, happenings }: Pick<RealOperator, "writes" | "history" | "happenings">,
): () => Promise<void> {
  const api = fromKubeconfig(kubeconfig, (method, status) => {
    if (method !== "GET") writes.push(`${method} ${String(status)}`);
  });
  const live = new RestClient(api, managedBy);
  const options = {
    clock: systemClock,
    log: silentLog,
    backoff: exponential(milliseconds(50), seconds(2), Math.random),
  };
  const informers = new Informers(api, (kind) => followedScope(kind, "operator", undefined), options);
  const client: KubeClient = {
    ...informers.reader(live),
    apply: (kind, object) => live.apply(kind, object),
    applyStatus: (kind, key, status, version) => live.applyStatus(kind, key, status, version),
    create: (kind, object) => live.create(kind, object),
    setFinalizers: (kind, key, finalizers, version) => live.setFinalizers(kind, key, finalizers, version),
    delete: (kind, key, uid) => live.delete(kind, key, uid),
  };
  const specs = controllers({
    client: soundClient(client, history),
    watcher: informers,
    events: {
      record: (object, happening) => happenings.push({ ...happening, ...keyOf(object), kind: object.kind }),
    },
    randomBytes,
    registryImage: "registry.example/connected-registry:0.1.0",
    namespace: "operator",
    nodeTrustHosts: [],
    limits: defaultLimits,
    publishPullSecrets: true,
  });
  const metrics = new RuntimeMetrics(createMetrics());
  const started = specs.map(
    (spec) => new Controller(spec, informers, { ...options, metrics, deadline: seconds(30) }),
  );
  const stop = new AbortController();
  const running = [informers.run(stop.signal), ...started.map((controller) => controller.run(stop.signal))];
  return async () => {
    stop.abort();
    await Promise.all(running);
  };
}
