import { sameJson } from "../../common/same-json.ts";
import type { DateTime } from "luxon";
import type { Action } from "../runtime/action.ts";
import type { EventRecorder } from "../runtime/events.ts";
import { keyOf, type Kind, type KubeClient, type KubeObject } from "../runtime/kube.ts";
import type { Condition } from "../status/conditions.ts";
import { summarize, type Outcome } from "../status/summarize.ts";

interface Reported extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

type StatusOf<T extends Reported> = Omit<NonNullable<T["status"]>, "conditions" | "observedGeneration">;

/**
 * Writes what `outcome` means into the status of `object`, with the other `fields` that are ours, unless it says so
 * already; and an Event when Ready turned or found a new reason. Fields that are left out stay as they are as long as
 * somebody else owns them, fields that are `undefined` are to go.
 *
 * @throws {ConflictError} if the object is not as we read it: the registry may just have reported something else
 */
export async function report<T extends Reported>(
  { client, events }: { readonly client: KubeClient; readonly events: EventRecorder },
  kind: Kind<T>,
  object: T,
  outcome: Outcome,
  fields: { readonly [K in keyof StatusOf<T>]?: StatusOf<T>[K] | undefined },
  now: DateTime<true>,
): Promise<Action> {
  const generation = object.metadata.generation ?? 0;
  const before = object.status?.conditions ?? [];
  const { conditions, action } = summarize(keyOf(object), outcome, before, generation, now);
  const status: Readonly<Record<string, unknown>> = { observedGeneration: generation, conditions, ...fields };
  const current = (object.status ?? {}) as Readonly<Record<string, unknown>>;
  if (Object.entries(status).every(([key, value]) => sameJson(current[key], value))) return action;

  const given = Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
  await client.applyStatus(kind, keyOf(object), given, object.metadata.resourceVersion);
  const [was, is] = [before, conditions].map((list) => list.find(({ type }) => type === "Ready"));
  if (is !== undefined && (was?.status !== is.status || was.reason !== is.reason)) {
    const type = is.status === "True" ? "Normal" : "Warning";
    events.record(object, { type, reason: is.reason, action: "Reconcile", note: is.message });
  }
  return action;
}
