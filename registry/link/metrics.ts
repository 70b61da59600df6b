import { Counter, Gauge, type Registry } from "prom-client";
import type { LinkStatus } from "../../common/contract/status.ts";
import type { LinkTraffic } from "./gate.ts";

/** What the link carries and may carry. @param status asked whenever somebody looks @returns to be told what has moved */
export function createLinkMetrics(
  registry: Registry,
  status: () => LinkStatus,
): (moved: LinkTraffic, question: boolean) => void {
  const registers = [registry];
  const bytes = new Counter({
    name: "connected_registry_parent_link_bytes_total",
    help: "Bytes of HTTP messages to and from the parent, heads included.",
    labelNames: ["direction"],
    registers,
  });
  const questions = new Counter({
    name: "connected_registry_parent_link_questions_bytes_total",
    help: "Of the bytes over the link, those of signs of life, lists, and looks at tags and manifests, in both directions.",
    registers,
  });
  new Gauge({
    name: "connected_registry_parent_link_limit_bytes_per_second",
    help: "What may go over the link to the parent now, +Inf if it is not limited.",
    registers,
    collect() {
      this.set(status().bytesPerSecond ?? Number.POSITIVE_INFINITY);
    },
  });
  new Gauge({
    name: "connected_registry_parent_link_quota_left_bytes",
    help: "What is left of the present period's quota for the link to the parent, +Inf if there is none.",
    registers,
    collect() {
      this.set(status().quota?.left ?? Number.POSITIVE_INFINITY);
    },
  });
  for (const direction of ["received", "sent"]) bytes.inc({ direction }, 0);
  return ({ received, sent }, question) => {
    if (question) questions.inc(received + sent);
    bytes.inc({ direction: "received" }, received);
    bytes.inc({ direction: "sent" }, sent);
  };
}
