import { milliseconds, systemClock as clock } from "../../common/clock.ts";
import { ConnectedRegistryKind } from "../../operator/api/connectedregistry.gen.ts";
import { DeploymentKind, type Deployment } from "../../operator/api/kubernetes.ts";
import { apiPath } from "../../operator/runtime/api-server.ts";
import { keyOf, keyText } from "../../operator/runtime/kube.ts";
import { figure } from "../figure.ts";
import type { OperatorLine } from "./stage.ts";

const boundMs = 500;
const patienceMs = 30_000;
/** Between two changes: what one brings about is over then. */
const pauseMs = 200;

export const changeLine: OperatorLine = {
  name: "change",
  title: "A spec changes",
  async run({ world, operator, signal }, report) {
    const { api, informers, registries, scale } = world;
    const seen = new Map<string, (memory: string | undefined) => void>();
    informers.watch(DeploymentKind, (_, deployment) => {
      if (deployment !== undefined) seen.get(keyText(keyOf(deployment)))?.(memoryLimitOf(deployment));
    });
    await operator.atRest(5000, signal);
    const times: number[] = [];
    for (let i = 0; i < scale.changes; i++) {
      signal.throwIfAborted();
      const key = registries[Math.floor(Math.random() * registries.length)];
      if (key === undefined) throw new RangeError("there are no registries");
      const wanted = `${600 + i}Mi`;
      const changed = new Promise<number>((resolve) => {
        seen.set(keyText(key), (memory) => {
          if (memory === wanted) resolve(clock.steady());
        });
      });
      await api.json({
        method: "PATCH",
        path: apiPath(ConnectedRegistryKind, key.namespace, key.name),
        contentType: "application/merge-patch+json",
        body: { spec: { resources: { limits: { memory: wanted } } } },
      });
      const answered = clock.steady();
      const late = clock.sleep(milliseconds(patienceMs), signal).then(() => {
        throw new Error(`the Deployment ${keyText(key)} has not changed within ${patienceMs / 1000} s`);
      });
      times.push(Math.max(0, (await Promise.race([changed, late])) - answered));
      late.catch(() => undefined);
      seen.delete(keyText(key));
      report((i + 1) / scale.changes);
      await clock.sleep(milliseconds(pauseMs), signal);
    }
    const sorted = times.sort((a, b) => a - b);
    const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? Number.NaN;
    return [
      {
        name: "operator-change",
        title: "Spec changed → Deployment changed",
        measures: `Memory limits of ${scale.changes} of ${registries.length} registries, one after another: from the answer to the PATCH to the event of the Deployment that has it.`,
        unit: "ms",
        figures: { ours: figure(times) },
        checks: [
          { what: "ms p99", value: figure([p99]), bound: { kind: "at most", value: boundMs } },
          { what: "ms", value: figure(times) },
        ],
      },
    ];
  },
};

function memoryLimitOf({ spec }: Deployment): string | undefined {
  const { template } = spec as {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly resources?: { readonly limits?: { readonly memory?: string } };
        }[];
      };
    };
  };
  return template.spec.containers[0]?.resources?.limits?.memory;
}
