import { InvalidScopeError, parseScope } from "../../common/contract/scope.ts";
import { messageOf } from "../../common/errors.ts";
import { ScopeMapKind, type ScopeMap } from "../api/scopemap.gen.ts";
import { awaitChange } from "../runtime/action.ts";
import { itself, watchOf, type ControllerSpec } from "../runtime/reconciler.ts";
import { StalledError } from "../status/errors.ts";
import type { Finding } from "../status/summarize.ts";
import type { ControllerDependencies } from "./dependencies.ts";
import { attempt } from "./ensure.ts";
import { NamespaceLimit } from "./limits.ts";
import { Reporter } from "./report.ts";

/** Tells the author of a ScopeMap whether its actions can be read. */
export function scopeMapController(dependencies: ControllerDependencies): ControllerSpec {
  const reporter = new Reporter(dependencies);
  const limit = new NamespaceLimit(
    dependencies.limits.scopeMaps,
    dependencies.watcher.index(ScopeMapKind, ({ metadata }) => [metadata.namespace ?? ""]),
  );
  return {
    name: "scopemap",
    watches: [watchOf(ScopeMapKind, itself), watchOf(ScopeMapKind, limit.changed)],
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
          if (limit.exceededBy(key)) {
            throw new StalledError(
              "TooManyScopeMaps",
              `This namespace has more than ${limit.most} ScopeMaps; this is one of the youngest.`,
            );
          }
          checkActions(scopeMap);
        });
        const ready = { reason: "Valid", message: "All actions are understood." } as const;
        return reporter.report(ScopeMapKind, scopeMap, { findings, ready }, {}, clock.now());
      },
    },
  };
}

/** Whether what `scopeMap` allows counts: it does not if it is one too many. */
export function isInForce({ status }: ScopeMap): boolean {
  return status?.conditions?.some(({ reason }) => reason === "TooManyScopeMaps") !== true;
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
