import { InvalidArgumentError, Option } from "commander";
import { parseAddress, type ListenAddress } from "./address.ts";
import { logLevels } from "./log.ts";

/** `--probes`, as every program that runs as a service of the cluster has it. */
export function probesOption(): Option {
  return new Option("--probes <host:port>", "where to serve /livez, /readyz and /metrics")
    .env("CONNECTED_REGISTRY_PROBES")
    .argParser(readAddress)
    .default({ host: "0.0.0.0", port: 8081 }, "0.0.0.0:8081");
}

/** `--log-level`, likewise. */
export function logLevelOption(): Option {
  return new Option("--log-level <level>", "how much to log")
    .env("CONNECTED_REGISTRY_LOG_LEVEL")
    .choices(logLevels)
    .default("Information");
}

function readAddress(text: string): ListenAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError("Write host:port, such as 0.0.0.0:8081.");
  return address;
}
