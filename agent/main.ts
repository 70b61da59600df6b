import { Command, InvalidArgumentError, Option } from "commander";
import type { ListenAddress } from "../common/address.ts";
import { systemClock } from "../common/clock.ts";
import { inCluster } from "../common/cluster/connection.ts";
import { HttpsClusterApi } from "../common/cluster/https-api.ts";
import { createLog, type LogLevel } from "../common/log.ts";
import { createMetrics } from "../common/metrics.ts";
import { Probes } from "../common/probes.ts";
import { logLevelOption, probesOption } from "../common/program-options.ts";
import { runServices } from "../common/service.ts";
import { stopSignal } from "../common/stop-signal.ts";
import { CertsFolder } from "./certs-folder.ts";
import { agentMetrics } from "./metrics.ts";
import { NodeTrust } from "./node-trust.ts";
import type { TrustSource } from "./trust-lists.ts";

interface Options {
  readonly configMap: TrustSource;
  readonly certsDir: string;
  readonly probes: ListenAddress;
  readonly logLevel: LogLevel;
}

/** `connected-registry agent`: runs on every node, as a pod. */
export function command(): Command {
  return new Command("agent")
    .description("Makes the containerd of its node trust the connected registries of the cluster.")
    .addOption(
      new Option("--config-map <namespace/name>", "the first list of registries, which the operator keeps")
        .env("CONNECTED_REGISTRY_CONFIG_MAP")
        .argParser(parseSource)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option("--certs-dir <folder>", "containerd's registry folder, its config_path")
        .env("CONNECTED_REGISTRY_CERTS_DIR")
        .default("/etc/containerd/certs.d"),
    )
    .addOption(probesOption())
    .addOption(logLevelOption())
    .action(run);
}

async function run(options: Options): Promise<void> {
  const place = inCluster(process.env);
  if (place === undefined) throw new Error("the agent runs as a pod only");
  const { logger } = createLog("agent", options.logLevel, process.stdout);
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
  const stop = stopSignal();
  try {
    await runServices([new Probes(options.probes, [trust], metrics, stop), trust], stop, logger);
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
