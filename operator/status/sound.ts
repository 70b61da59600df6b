import { DateTime } from "luxon";
import type { Condition } from "./conditions.ts";
import { reasons } from "./reasons.ts";

interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

/** What sums up all others, and is said anew with every status. */
const summaries: ReadonlySet<string> = new Set(["Ready", "Reconciling", "Stalled"]);

/**
 * Throws unless what `status` says hangs together, in the sense of kstatus: tools that wait for an object must come to
 * the same verdict whichever condition they look at. Tests run it on every status that they see.
 */
export function expectSound(status: Status | undefined): void {
  const faults = faultsOf(status);
  if (faults.length > 0)
    throw new Error(`unsound status: ${faults.join("; ")}\n${JSON.stringify(status, null, 2)}`);
}

function faultsOf(status: Status | undefined): readonly string[] {
  const conditions = status?.conditions ?? [];
  const statusOf = (type: string): string | undefined => conditions.find((one) => one.type === type)?.status;
  const generation = status?.observedGeneration ?? 0;
  // What was not looked at speaks of the generation that it was last looked at in.
  const brokeOff = conditions.some(({ type, reason }) => type === "Ready" && reason === "Retrying");
  const [ready, reconciling, stalled] = [statusOf("Ready"), statusOf("Reconciling"), statusOf("Stalled")];
  const checks: readonly (readonly [boolean, string])[] = [
    [
      ready !== undefined && reconciling !== undefined && stalled !== undefined,
      "one of the three is missing",
    ],
    [new Set(conditions.map(({ type }) => type)).size === conditions.length, "a condition appears twice"],
    [!(reconciling === "True" && stalled === "True"), "both Reconciling and Stalled"],
    [!(ready === "True" && (reconciling === "True" || stalled === "True")), "Ready while not done"],
    [
      ready === "True" || reconciling === "True" || stalled === "True",
      "neither Ready, Reconciling nor Stalled",
    ],
    [reconciling !== "Unknown" && stalled !== "Unknown", "Reconciling or Stalled is Unknown"],
    ...conditions.flatMap((condition): [boolean, string][] => [
      [condition.reason in reasons, `${condition.type} has the unlisted reason ${condition.reason}`],
      [/^[A-Z].*[.]$/s.test(condition.message), `the message of ${condition.type} is not a sentence`],
      [DateTime.fromISO(condition.lastTransitionTime).isValid, `${condition.type} has no transition time`],
      [
        condition.observedGeneration === generation ||
          (brokeOff && !summaries.has(condition.type) && (condition.observedGeneration ?? 0) < generation),
        `${condition.type} speaks of another generation than the status`,
      ],
    ]),
  ];
  return checks.filter(([holds]) => !holds).map(([, fault]) => fault);
}
