import { SyncPolicyKind } from "../api/syncpolicy.gen.ts";
import { checkPolicy } from "../resources/policy.ts";
import { awaitChange } from "../runtime/action.ts";
import { itself, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt } from "./ensure.ts";
import { Reporter } from "./report.ts";

/** Tells the author of a SyncPolicy whether it can be followed. */
export function syncPolicyController(dependencies: ControllerDependencies): ControllerSpec {
  const reporter = new Reporter(dependencies);
  return {
    name: "syncpolicy",
    watches: [watchOf(SyncPolicyKind, itself)],
    workers: 2,
    reconciler: {
      async reconcile(key, { clock }) {
        const policy = await dependencies.client.get(SyncPolicyKind, key);
        if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) {
          reporter.forget(key);
          return awaitChange;
        }
        const findings: Finding[] = [];
        await attempt(findings, async () => {
          checkPolicy(policy, clock.now());
        });
        const ready = { reason: "Valid", message: "The policy can be followed." } as const;
        return reporter.report(SyncPolicyKind, policy, { findings, ready }, {}, clock.now());
      },
    },
  };
}
