import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../common/clock.ts";
import { apiServer, serviceAccountFolder } from "../common/cluster/connection.ts";
import { HttpsClusterApi } from "../common/cluster/https-api.ts";
import { createLog, logLevels, type LogLevel } from "../common/log.ts";
import { createMetrics } from "../common/metrics.ts";
import { Probes } from "../common/probes.ts";
import { runServices } from "../common/service.ts";
import { stopSignal } from "../common/stop-signal.ts";
import { CertsFolder } from "./certs-folder.ts";
import { agentMetrics } from "./metrics.ts";
import { NodeTrust, type TrustSource } from "./node-trust.ts";

interface Options {
  readonly configMap: TrustSource;
  readonly certsDir: string;
  readonly probes: { readonly host: string; readonly port: number };
  readonly logLevel: LogLevel;
}

/** `connected-registry agent`: runs on every node, as a pod. */
export function command(): Command {
  return new Command("agent")
    .description("Makes the containerd of its node trust the connected registries of the cluster.")
    .addOption(
      new Option("--config-map <namespace/name>", "the list of registries, which the operator keeps")
        .env("CONNECTED_REGISTRY_CONFIG_MAP")
        .argParser(parseSource)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--certs-dir <folder>", "containerd's registry folder, its config_path")
        .env("CONNECTED_REGISTRY_CERTS_DIR")
        .default("/etc/containerd/certs.d"),
    )
    .addOption(
      new Option("--probes <host:port>", "where to serve /livez, /readyz and /metrics")
        .env("CONNECTED_REGISTRY_PROBES")
        .argParser(parseAddress)
        .default({ host: "0.0.0.0", port: 8081 }, "0.0.0.0:8081"),
    )
    .addOption(
      new Option("--log-level <level>", "how much to log")
        .env("CONNECTED_REGISTRY_LOG_LEVEL")
        .choices(logLevels)
        .default("Information"),
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  if (host === undefined || port === undefined) throw new Error("the agent runs as a pod only");
  const { logger } = createLog("agent", options.logLevel, process.stdout);
  const place = {
    server: apiServer(host, port),
    tokenFile: `${serviceAccountFolder}/token`,
    caFile: `${serviceAccountFolder}/ca.crt`,
  };
  const api = new HttpsClusterApi(place, systemClock, Math.random, logger);
  const metrics = createMetrics();
  const trust = new NodeTrust(
    api,
    options.configMap,
    new CertsFolder(options.certsDir),
    systemClock,
    logger,
    agentMetrics(metrics),
  );
  try {
    await runServices([new Probes(options.probes, [trust], metrics), trust], stopSignal(), logger);
  } finally {
    api.close();
  }
}

function parseSource(text: string): TrustSource {
  const [namespace = "", configMap = "", ...rest] = text.split("/");
  if (namespace === "" || configMap === "" || rest.length > 0) {
    throw new InvalidArgumentError("It is namespace/name.");
  }
  return { namespace, configMap };
}

function parseAddress(text: string): Options["probes"] {
  const match = /^(.+):(\d{1,5})$/.exec(text);
  if (match === null) throw new InvalidArgumentError("It is host:port.");
  return { host: (match[1] ?? "").replace(/^\[|\]$/g, ""), port: Number(match[2]) };
}
