import { InvalidScopeError, parseScope } from "../../common/contract/scope.ts";
import { messageOf } from "../../common/errors.ts";
import { ScopeMapKind, type ScopeMap } from "../api/scopemap.gen.ts";
import { awaitChange } from "../runtime/action.ts";
import { itself, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import { StalledError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt } from "./ensure.ts";
import { Reporter } from "./report.ts";

/** Tells the author of a ScopeMap whether its actions can be read. */
export function scopeMapController(dependencies: ControllerDependencies): ControllerSpec {
  const reporter = new Reporter(dependencies);
  return {
    name: "scopemap",
    watches: [watchOf(ScopeMapKind, itself)],
    workers: 2,
    reconciler: {
      async reconcile(key, { clock }) {
        const scopeMap = await dependencies.client.get(ScopeMapKind, key);
        if (scopeMap === undefined || scopeMap.metadata.deletionTimestamp !== undefined) {
          reporter.forget(key);
          return awaitChange;
        }
        const findings: Finding[] = [];
        await attempt(findings, async () => {
          checkActions(scopeMap);
        });
        const ready = { reason: "Valid", message: "All actions are understood." } as const;
        return reporter.report(ScopeMapKind, scopeMap, { findings, ready }, {}, clock.now());
      },
    },
  };
}

/** The schema says the same; but a schema can be older than the object. */
function checkActions({ spec }: ScopeMap): void {
  try {
    spec.actions.forEach(parseScope);
  } catch (error) {
    if (!(error instanceof InvalidScopeError)) throw error;
    throw new StalledError("InvalidAction", `An action cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
