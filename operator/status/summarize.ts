import { Duration, type DateTime } from "luxon";
import { messageOf } from "../../common/errors.ts";
import { awaitChange, requeueAfter, soonest, type Action } from "../runtime/action.ts";
import { setCondition, type Condition } from "./conditions.ts";
import { StalledError, WaitingError } from "./errors.ts";
import {
  conditionTypes,
  messageFor,
  reasons,
  type ConditionType,
  type Reason,
  type Subject,
} from "./reasons.ts";

/** What one step found out about the aspect that it looks after. */
export type Finding =
  | { readonly kind: "fine"; readonly reason: Reason; readonly message: string }
  /** Worth knowing, but nothing that the object waits for. */
  | { readonly kind: "notice"; readonly reason: Reason; readonly message: string }
  /** Nobody knows yet, and the object does not wait for it. */
  | { readonly kind: "unknown"; readonly reason: Reason; readonly message: string }
  | { readonly kind: "fault"; readonly error: StalledError | WaitingError }
  /** The step was not taken, since one before it failed. */
  | { readonly kind: "skipped"; readonly condition: ConditionType };

/** How a reconcile went. */
export interface Outcome {
  /** In the order of the steps; of several faults of a kind the first is shown as the whole object's. */
  readonly findings: readonly Finding[];
  /** What Ready says when there is no fault. */
  readonly ready: { readonly reason: Reason; readonly message: string };
  /** Ended the reconcile before its end: neither a fault of the user nor something that is on its way. */
  readonly error?: unknown;
}

/** So long a Ready object stays Ready while its reconciles break off: one lost call is no news. */
const forgiven = Duration.fromObject({ seconds: 30 });

interface Verdict {
  readonly reason: Reason;
  readonly message: string;
}

/**
 * What to say of an object after a reconcile, and what to do next. The only place that decides on a condition.
 * Messages are the same as long as the cause is; the same array comes back if nothing changed.
 *
 * @param failing since when every reconcile of the object has ended before its end
 */
export function summarize(
  subject: Subject,
  outcome: Outcome,
  conditions: readonly Condition[],
  generation: number,
  now: DateTime<true>,
  failing = now,
): { readonly conditions: readonly Condition[]; readonly action: Action } {
  const errors = outcome.findings.flatMap((finding) => (finding.kind === "fault" ? [finding.error] : []));
  const stalled = errors.find((error) => error instanceof StalledError);
  const waiting = errors.find((error) => error instanceof WaitingError);
  if (outcome.error !== undefined && stalled === undefined && now < failing.plus(forgiven)) {
    const ready = conditions.find(({ type }) => type === "Ready");
    if (ready?.status === "True" && ready.observedGeneration === generation) {
      return { conditions, action: awaitChange };
    }
  }
  let next = conditions;
  const set = (type: ConditionType, status: Condition["status"], { reason, message }: Verdict): void => {
    next = setCondition(next, { type, status, reason, message, observedGeneration: generation }, now);
  };

  const settled: Verdict = { reason: "Settled", message: "Nothing is left to do." };
  const notStalled: Verdict = { reason: "NotStalled", message: "Nothing needs a person's attention." };
  if (stalled !== undefined) {
    set("Ready", "False", verdictOf(stalled, subject));
    set("Reconciling", "False", { reason: "Settled", message: "Waits for a change by a person." });
    set("Stalled", "True", verdictOf(stalled, subject));
  } else if (outcome.error !== undefined) {
    const retrying = unexpected(outcome.error, subject);
    set("Ready", "Unknown", retrying);
    set("Reconciling", "True", retrying);
    set("Stalled", "False", notStalled);
  } else if (waiting !== undefined) {
    set("Ready", "False", verdictOf(waiting, subject));
    set("Reconciling", "True", verdictOf(waiting, subject));
    set("Stalled", "False", notStalled);
  } else {
    const { reason, message } = outcome.ready;
    set("Ready", "True", { reason, message: messageFor(reason, message, subject) });
    set("Reconciling", "False", settled);
    set("Stalled", "False", notStalled);
  }

  // The first fault of an aspect is the one to show; a later step may have found the same aspect fine.
  const said = new Set<ConditionType>(["Ready", "Reconciling", "Stalled"]);
  for (const finding of [...outcome.findings].sort(byAspect)) {
    const condition = conditionOf(finding);
    if (said.has(condition)) continue;
    said.add(condition);
    set(condition, ...aspectOf(finding, subject));
  }
  return { conditions: next, action: errors.map(actionAfter).reduce(soonest, awaitChange) };
}

function verdictOf({ reason, message }: StalledError | WaitingError, subject: Subject): Verdict {
  return { reason, message: messageFor(reason, message, subject) };
}

function unexpected(error: unknown, subject: Subject): Verdict {
  return {
    reason: "Retrying",
    message: messageFor("Retrying", `The last attempt failed: ${messageOf(error)}`, subject),
  };
}

const severities: readonly Finding["kind"][] = ["fault", "notice", "unknown", "fine", "skipped"];

/** As in the table of aspects, so that all objects look alike; of each the worst first. */
function byAspect(a: Finding, b: Finding): number {
  const [first, second] = [a, b].map((finding) => conditionTypes.indexOf(conditionOf(finding)));
  return (first ?? 0) - (second ?? 0) || severities.indexOf(a.kind) - severities.indexOf(b.kind);
}

function conditionOf(finding: Finding): ConditionType {
  switch (finding.kind) {
    case "fine":
    case "notice":
    case "unknown":
      return reasons[finding.reason].condition;
    case "fault":
      return reasons[finding.error.reason].condition;
    case "skipped":
      return finding.condition;
  }
}

const statusOf = { fine: "True", notice: "False", unknown: "Unknown" } as const;

function aspectOf(finding: Finding, subject: Subject): [Condition["status"], Verdict] {
  switch (finding.kind) {
    case "fine":
    case "notice":
    case "unknown":
      return [
        statusOf[finding.kind],
        { reason: finding.reason, message: messageFor(finding.reason, finding.message, subject) },
      ];
    case "fault":
      return ["False", verdictOf(finding.error, subject)];
    case "skipped":
      return [
        "Unknown",
        {
          reason: "NotReached",
          message: messageFor("NotReached", "Not looked at, since a step before it failed.", subject),
        },
      ];
  }
}

function actionAfter({ retryAfter }: StalledError | WaitingError): Action {
  return retryAfter === undefined ? awaitChange : requeueAfter(retryAfter);
}
