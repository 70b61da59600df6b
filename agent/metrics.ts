import { Gauge, type Registry } from "prom-client";
import type { CertsReport } from "./certs-folder.ts";

/** Registers the agent's metrics; the function that is answered sets them after every reconcile. */
export function agentMetrics(register: Registry): (hosts: number, report: CertsReport) => void {
  const hosts = new Gauge({
    name: "connected_registry_agent_hosts",
    help: "Registry hosts that this node should trust.",
    registers: [register],
  });
  const foreign = new Gauge({
    name: "connected_registry_agent_foreign_hosts",
    help: "Those of them that somebody else has configured on this node.",
    registers: [register],
  });
  return (listed, report) => {
    hosts.set(listed);
    foreign.set(report.foreign.length);
  };
}
