import { sameJson } from "../../common/same-json.ts";
import { DateTime, Duration } from "luxon";
import { seconds } from "../../common/clock.ts";
import { awaitChange, requeueAfter, soonest, type Action } from "../runtime/action.ts";
import type { EventRecorder } from "../runtime/events.ts";
import {
  keyOf,
  keyText,
  type Kind,
  type KubeClient,
  type KubeObject,
  type NamespacedName,
} from "../runtime/kube.ts";
import type { Condition } from "../status/conditions.ts";
import { provisioningStateOf } from "../status/provisioning.ts";
import { patienceWith, type Reason } from "../status/reasons.ts";
import { summarize, type Outcome } from "../status/summarize.ts";

interface Reported extends KubeObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
    readonly provisioningState?: string;
  };
}

type StatusOf<T extends Reported> = Omit<
  NonNullable<T["status"]>,
  "conditions" | "observedGeneration" | "provisioningState"
>;

/** Why an object is not Ready, and since when, as far as this process knows. */
interface Trouble {
  readonly reason: string;
  readonly since: DateTime<true>;
  readonly warned: boolean;
}

/** However long something is waited for, it is looked for this often. */
const longestDelay = seconds(60);

/** Says in the status of objects, and in Events, how their reconciling goes. One for each kind. */
export class Reporter {
  private readonly client: KubeClient;
  private readonly events: EventRecorder;
  private readonly troubles = new Map<string, Trouble>();
  /** Since when an object's reconciles break off, by key. */
  private readonly failing = new Map<string, DateTime<true>>();

  constructor({ client, events }: { readonly client: KubeClient; readonly events: EventRecorder }) {
    this.client = client;
    this.events = events;
  }

  /** The object of this key is gone. */
  forget(key: NamespacedName): void {
    this.troubles.delete(keyText(key));
    this.failing.delete(keyText(key));
  }

  /**
   * Writes what `outcome` means into the status of `object`, with the other `fields` that are ours, unless it says so
   * already; and an Event when Ready turned or found a new reason. What is waited for becomes a Warning only once that
   * took longer than it should. Fields that are left out stay as they are as long as somebody else owns them, fields
   * that are `undefined` are to go.
   *
   * @returns when to look again: the longer nothing has changed, the later
   * @throws {ConflictError} if the object is not as we read it: the registry may just have reported something else
   */
  async report<T extends Reported>(
    kind: Kind<T>,
    object: T,
    outcome: Outcome,
    fields: { readonly [K in keyof StatusOf<T>]?: StatusOf<T>[K] | undefined },
    now: DateTime<true>,
  ): Promise<Action> {
    const key = keyOf(object);
    const generation = object.metadata.generation ?? 0;
    const before = object.status?.conditions ?? [];
    const failing = this.failingSince(key, outcome, now);
    const { conditions, action } = summarize(key, outcome, before, generation, now, failing);
    const provisioningState = provisioningStateOf(object, conditions, object.status?.provisioningState);
    const status: Readonly<Record<string, unknown>> = {
      observedGeneration: generation,
      conditions,
      ...(provisioningState === undefined ? {} : { provisioningState }),
      ...fields,
    };
    const current = (object.status ?? {}) as Readonly<Record<string, unknown>>;
    if (Object.entries(status).some(([name, value]) => !sameJson(current[name], value))) {
      const given = Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
      await this.client.applyStatus(kind, key, given, object.metadata.resourceVersion);
    }
    const patience = this.tell(object, before, conditions, now);
    const since = this.troubles.get(keyText(key))?.since ?? now;
    return soonest(later(action, now.diff(since)), patience);
  }

  private failingSince(key: NamespacedName, { error }: Outcome, now: DateTime<true>): DateTime<true> {
    const text = keyText(key);
    if (error === undefined) this.failing.delete(text);
    else if (!this.failing.has(text)) this.failing.set(text, now);
    return this.failing.get(text) ?? now;
  }

  /** @returns when patience ends */
  private tell(
    object: KubeObject,
    before: readonly Condition[],
    conditions: readonly Condition[],
    now: DateTime<true>,
  ): Action {
    const [was, is, stalled] = [
      before.find(({ type }) => type === "Ready"),
      conditions.find(({ type }) => type === "Ready"),
      conditions.find(({ type }) => type === "Stalled"),
    ];
    if (is === undefined) return awaitChange;
    const { reason, message: note } = is;
    const record = (type: "Normal" | "Warning"): void => {
      this.events.record(object, { type, reason, action: "Reconcile", note });
    };
    const turned = was?.status !== is.status || was.reason !== reason;
    const key = keyText(keyOf(object));
    if (is.status === "True") {
      this.troubles.delete(key);
      if (turned) record("Normal");
      return awaitChange;
    }
    const known = this.troubles.get(key) ?? heardOf(was, reason, now);
    const trouble = known?.reason === reason ? known : { reason, since: now, warned: false };
    const needsPerson = stalled?.status === "True";
    const left = trouble.since.plus(patienceWith(reason as Reason)).diff(now);
    const impatient = !trouble.warned && (needsPerson ? turned : left.toMillis() <= 0);
    this.troubles.set(key, impatient ? { ...trouble, warned: true } : trouble);
    if (impatient) record("Warning");
    else if (turned && !needsPerson) record("Normal");
    return needsPerson || left.toMillis() <= 0 ? awaitChange : requeueAfter(left);
  }
}

/**
 * The trouble that an earlier process left in the status. It has warned of it, if that was due: a restart must not tell
 * everything again. How long this very reason has held the status does not say; Ready has been False no shorter.
 */
function heardOf(ready: Condition | undefined, reason: string, now: DateTime<true>): Trouble | undefined {
  if (ready === undefined || ready.status === "True" || ready.reason !== reason) return undefined;
  const since = DateTime.fromISO(ready.lastTransitionTime);
  if (!since.isValid) return undefined;
  return { reason, since, warned: since.plus(patienceWith(reason as Reason)) <= now };
}

/** `action`, put off for as long as `waited`, within bounds: what has not come for a minute may take another. */
function later(action: Action, waited: Duration): Action {
  if (action.kind === "awaitChange") return action;
  const wanted = Math.min(waited.toMillis(), longestDelay.toMillis());
  return requeueAfter(Duration.fromMillis(Math.max(action.delay.toMillis(), wanted)));
}
