import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import type { ListenAddress } from "../common/address.ts";
import { exponential } from "../common/backoff.ts";
import { milliseconds, seconds, systemClock, type Clock } from "../common/clock.ts";
import { inCluster as placeIn } from "../common/cluster/connection.ts";
import { createLog, type LogLevel } from "../common/log.ts";
import { createMetrics } from "../common/metrics.ts";
import { Probes } from "../common/probes.ts";
import { logLevelOption, probesOption } from "../common/program-options.ts";
import { runServices } from "../common/service.ts";
import { stopSignal } from "../common/stop-signal.ts";
import { controllers } from "./controllers/all.ts";
import type { ControllerDependencies } from "./controllers/dependencies.ts";
import { defaultLimits } from "./controllers/limits.ts";
import { followedScope } from "./followed.ts";
import { managedBy } from "./resources/names.ts";
import type { ApiServer } from "./runtime/api-server.ts";
import { Controller, type ControllerOptions } from "./runtime/controller.ts";
import { ClusterEvents } from "./runtime/events.ts";
import type { ObserveRequest } from "./runtime/https-api-server.ts";
import { inCluster } from "./runtime/in-cluster.ts";
import { Informers } from "./runtime/informers.ts";
import type { KubeClient } from "./runtime/kube.ts";
import { LeaderElection } from "./runtime/leader.ts";
import { RuntimeMetrics } from "./runtime/metrics.ts";
import { RestClient } from "./runtime/rest-client.ts";

interface Options {
  readonly registryImage: string;
  readonly namespace: string;
  readonly watchNamespaces?: readonly string[];
  readonly nodeTrustHosts: readonly string[];
  readonly maxClientTokens: number;
  readonly maxScopeMaps: number;
  readonly maxRegistriesPerHierarchy: number;
  readonly publishPullSecrets: boolean;
  readonly leaderElect: boolean;
  readonly probes: ListenAddress;
  readonly logLevel: LogLevel;
  readonly kubeconfig?: string;
}

/** `connected-registry operator`: runs once per cluster, as a pod. */
export function command(): Command {
  return new Command("operator")
    .description(
      "Makes and keeps connected registries as the cluster's ConnectedRegistry objects describe them.",
    )
    .addOption(
      new Option("--registry-image <image>", "the image that registries run, with its tag or digest")
        .env("CONNECTED_REGISTRY_REGISTRY_IMAGE")
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--namespace <name>", "the operator's own namespace")
        .env("POD_NAMESPACE")
        .default("connected-registry-system"),
    )
    .addOption(
      new Option("--watch-namespaces <names>", "follow only these namespaces, separated by commas (all)")
        .env("CONNECTED_REGISTRY_WATCH_NAMESPACES")
        .argParser(parseList),
    )
    .addOption(
      new Option(
        "--node-trust-hosts <hosts>",
        "login servers of their own choice that nodes may trust: hosts or *.domain, separated by commas (none)",
      )
        .env("CONNECTED_REGISTRY_NODE_TRUST_HOSTS")
        .argParser(parseList)
        .default([], ""),
    )
    .addOption(
      new Option("--max-client-tokens <count>", "how many ClientTokens a namespace may have")
        .env("CONNECTED_REGISTRY_MAX_CLIENT_TOKENS")
        .argParser(parseCount)
        .default(defaultLimits.clientTokens),
    )
    .addOption(
      new Option("--max-scope-maps <count>", "how many ScopeMaps a namespace may have")
        .env("CONNECTED_REGISTRY_MAX_SCOPE_MAPS")
        .argParser(parseCount)
        .default(defaultLimits.scopeMaps),
    )
    .addOption(
      new Option(
        "--max-registries-per-hierarchy <count>",
        "how many ConnectedRegistries may hang together, the root included: 1000 at most",
      )
        .env("CONNECTED_REGISTRY_MAX_REGISTRIES_PER_HIERARCHY")
        .argParser(parseHierarchy)
        .default(defaultLimits.registriesPerHierarchy),
    )
    .addOption(
      new Option(
        "--publish-pull-secrets <true|false>",
        "bring pull secrets into namespaces that accept them; takes the right to list and watch namespaces",
      )
        .env("CONNECTED_REGISTRY_PUBLISH_PULL_SECRETS")
        .argParser(parseBoolean)
        .default(false),
    )
    .addOption(
      new Option("--leader-elect <true|false>", "act only while holding the Lease, so that several may run")
        .env("CONNECTED_REGISTRY_LEADER_ELECT")
        .argParser(parseBoolean)
        .default(true),
    )
    .addOption(probesOption())
    .addOption(logLevelOption())
    .addOption(
      new Option("--kubeconfig <file>", "the cluster and user to be, outside of a pod").env(
        "CONNECTED_REGISTRY_KUBECONFIG",
      ),
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { logger: log } = createLog("operator", options.logLevel, process.stdout);
  const clock = systemClock;
  const registry = createMetrics();
  const metrics = new RuntimeMetrics(registry);
  const api = await connect(options.kubeconfig, clock, metrics.requested);
  const live = new RestClient(api, managedBy);
  const informers = new Informers(
    api,
    (kind) => followedScope(kind, options.namespace, options.watchNamespaces),
    {
      clock,
      log,
      backoff: exponential(milliseconds(200), seconds(30), Math.random),
    },
  );
  const pod = process.env.POD_NAME;
  const instance = pod ?? hostname();
  let acts = !options.leaderElect;
  const events = new ClusterEvents({
    client: live,
    clock,
    log,
    controller: "connectedregistry.io/operator",
    instance,
    newId: randomUUID,
    acts: () => acts,
  });
  const dependencies: ControllerDependencies = {
    client: cachedClient(live, informers),
    watcher: informers,
    events,
    randomBytes,
    registryImage: options.registryImage,
    namespace: options.namespace,
    nodeTrustHosts: options.nodeTrustHosts,
    limits: {
      clientTokens: options.maxClientTokens,
      scopeMaps: options.maxScopeMaps,
      registriesPerHierarchy: options.maxRegistriesPerHierarchy,
    },
    publishPullSecrets: options.publishPullSecrets,
  };
  const settings: ControllerOptions = {
    clock,
    log,
    metrics,
    backoff: exponential(milliseconds(100), seconds(300), Math.random),
    deadline: seconds(120),
  };
  const working = controllers(dependencies).map((spec) => new Controller(spec, informers, settings));
  const election = new LeaderElection({
    client: live,
    lease: { namespace: options.namespace, name: managedBy },
    identity: `${instance}_${randomUUID()}`,
    ...(pod === undefined ? {} : { pod }),
    clock,
    log,
    services: working,
    onChange: (leads) => {
      acts = leads;
      metrics.leading(managedBy, leads);
    },
    onSlow: () => {
      metrics.renewingSlowly(managedBy);
    },
  });
  const services = [informers, events, ...(options.leaderElect ? [election] : working)];
  const stop = stopSignal();
  await runServices([new Probes(options.probes, services, registry, stop), ...services], stop, log);
}

async function connect(
  kubeconfig: string | undefined,
  clock: Clock,
  observe: ObserveRequest,
): Promise<ApiServer> {
  if (kubeconfig !== undefined) {
    const { fromKubeconfig } = await import("./runtime/client-node.ts");
    return fromKubeconfig(kubeconfig, observe, clock);
  }
  const place = placeIn(process.env);
  if (place === undefined) {
    throw new Error("This is no pod of a cluster: name the cluster with --kubeconfig.");
  }
  return inCluster(place, clock, observe);
}

function cachedClient(live: KubeClient, informers: Informers): KubeClient {
  return {
    ...informers.reader(live),
    apply: (kind, object) => live.apply(kind, object),
    applyStatus: (kind, key, status, version) => live.applyStatus(kind, key, status, version),
    create: (kind, object) => live.create(kind, object),
    setFinalizers: (kind, key, finalizers, version) => live.setFinalizers(kind, key, finalizers, version),
    delete: (kind, key, uid) => live.delete(kind, key, uid),
  };
}

function parseList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("It is a number from 1 on.");
  return Number(text);
}

/** A registry follows a Secret for each of its children: there is no room for any number of them. */
function parseHierarchy(text: string): number {
  const count = parseCount(text);
  if (count > 1000) throw new InvalidArgumentError("It is a number from 1 to 1000.");
  return count;
}

function parseBoolean(text: string): boolean {
  if (text !== "true" && text !== "false") throw new InvalidArgumentError("It is true or false.");
  return text === "true";
}
