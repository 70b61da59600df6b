import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { loadAll } from "js-yaml";
import { exponential } from "../../common/backoff.ts";
import { milliseconds, seconds, systemClock as clock } from "../../common/clock.ts";
import { silentLog } from "../../common/testing/silent-log.ts";
import { eventually } from "../../e2e/harness/eventually.ts";
import { startTestControlPlane, type TestControlPlane } from "../../e2e/harness/test-control-plane.ts";
import { DeploymentKind, ServiceAccountKind } from "../../operator/api/kubernetes.ts";
import { ConnectedRegistryKind } from "../../operator/api/connectedregistry.gen.ts";
import { managedBy } from "../../operator/resources/names.ts";
import { apiPath, type ApiServer } from "../../operator/runtime/api-server.ts";
import { fromKubeconfig } from "../../operator/runtime/client-node.ts";
import { Informers } from "../../operator/runtime/informers.ts";
import { kindName, type Kind, type KubeObject, type NamespacedName } from "../../operator/runtime/kube.ts";
import { RestClient } from "../../operator/runtime/rest-client.ts";
import type { WatchScope } from "../../operator/runtime/watch.ts";
import { Children } from "./children.ts";
import { ClusterPlayer } from "./cluster-player.ts";
import { NamespaceKind, registryKeys } from "./objects.ts";
import { OperatorProcess, type OperatorPlace } from "./operator-process.ts";
import type { OperatorScale } from "./scale.ts";
import { WriteLog } from "./write-log.ts";

const namespace = "connected-registry-system";
const operatorAccount = "connected-registry-operator";
/** The pod templates of the chart: the operator runs beside the cluster here, and there are no nodes. */
const notInstalled: ReadonlySet<string> = new Set(["Deployment", "DaemonSet"]);

export interface WorldOptions {
  readonly scale: OperatorScale;
  /** The bundled command, and the allocator of the image. */
  readonly programs: { readonly ours: string; readonly jemalloc: string };
  readonly folder: string;
  readonly profile: string | undefined;
}

/** A real API server with everything installed that the chart installs, and the operator beside it. */
export interface World {
  readonly scale: OperatorScale;
  readonly api: ApiServer;
  readonly user: RestClient;
  readonly registries: readonly NamespacedName[];
  readonly informers: Informers;
  readonly children: Children;
  readonly player: ClusterPlayer;
  readonly writes: WriteLog;
  /** Who the operator is to the API server. */
  readonly operatorUser: string;
  /** Where a registry's account of `key` finds the API server. */
  readonly accountOf: (
    key: NamespacedName,
  ) => Promise<{ readonly server: string; readonly token: string; readonly ca: string }>;
  startOperator(): Promise<OperatorProcess>;
  stop(): Promise<void>;
}

export async function createWorld({ scale, programs, folder, profile }: WorldOptions): Promise<World> {
  const writes = await WriteLog.create(folder);
  const plane = await startTestControlPlane({ apiServerArgs: writes.apiServerArgs });
  const stopped = new AbortController();
  try {
    const api = fromKubeconfig(plane.kubeconfig, () => undefined);
    const user = new RestClient(api, "kubectl");
    await install(user);
    const registries = registryKeys(scale);
    const informers = new Informers(api, followed, {
      clock,
      log: silentLog,
      backoff: exponential(milliseconds(200), seconds(5), Math.random),
    });
    const children = new Children(informers, registries);
    const player = new ClusterPlayer(api, informers, registries);
    const following = informers.run(stopped.signal);
    const accountOf = async (key: NamespacedName) => ({
      server: plane.access.server,
      ca: plane.access.caPem,
      token: await tokenFor(api, key),
    });
    const place: OperatorPlace = {
      program: programs.ours,
      jemalloc: programs.jemalloc,
      apiServer: placeOf(plane),
      token: await tokenFor(api, { namespace, name: operatorAccount }),
      ca: plane.access.caPem,
      namespace,
      folder,
      profile,
    };
    return {
      scale,
      api,
      user,
      registries,
      informers,
      children,
      player,
      writes,
      operatorUser: `system:serviceaccount:${namespace}:${operatorAccount}`,
      accountOf,
      startOperator: () => OperatorProcess.start(place),
      stop: async () => {
        stopped.abort(new Error("the world is taken away"));
        await following;
        await plane.stop();
      },
    };
  } catch (error) {
    stopped.abort(error);
    await plane.stop();
    throw error;
  }
}

/** The benchmark needs to know that there is a child; of Deployments also what is in them. */
function followed(kind: Kind<KubeObject>): WatchScope {
  const labelSelector = `app.kubernetes.io/managed-by=${managedBy}`;
  return { labelSelector, metadataOnly: kindName(kind) !== kindName(DeploymentKind) };
}

function placeOf({ access }: TestControlPlane): OperatorPlace["apiServer"] {
  const { hostname: host, port } = new URL(access.server);
  return { host, port };
}

async function install(user: RestClient): Promise<void> {
  const file = resolve(import.meta.dirname, "../../manifests/install.yaml");
  const objects = (loadAll(await readFile(file, "utf8")) as (KubeObject | null)[]).filter(
    (object) => object !== null,
  );
  for (const object of objects) {
    if (notInstalled.has(object.kind)) continue;
    await user.apply(kindOf(object), object);
  }
  await eventually("our kinds", 30_000, async () => user.list(ConnectedRegistryKind));
}

/** As Kubernetes forms names of resources, for the kinds that charts are made of. */
function kindOf({ apiVersion, kind, metadata }: KubeObject): Kind<KubeObject> {
  if (kind === NamespaceKind.kind) return NamespaceKind;
  const lower = kind.toLowerCase();
  const plural = lower.endsWith("y") ? `${lower.slice(0, -1)}ies` : `${lower}s`;
  return { apiVersion, kind, plural, namespaced: metadata.namespace !== undefined };
}

async function tokenFor(api: ApiServer, { namespace: of, name }: NamespacedName): Promise<string> {
  const { status } = await api.json<{ readonly status: { readonly token: string } }>({
    method: "POST",
    path: `${apiPath(ServiceAccountKind, of, name)}/token`,
    contentType: "application/json",
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 24 * 60 * 60 },
    },
  });
  return status.token;
}
