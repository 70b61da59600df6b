import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { awaitChange, requeueAfter } from "../runtime/action.ts";
import { StalledError, WaitingError } from "./errors.ts";
import { expectSound } from "./sound.ts";
import { summarize, type Finding, type Outcome } from "./summarize.ts";

const clock = new ManualClock();
const subject = { name: "contoso-edge", namespace: "edge" };
const ready = { reason: "Ready", message: "All is well." } as const;
const fine: Finding = { kind: "fine", reason: "Serving", message: "Serves." };
const stalled: Finding = { kind: "fault", error: new StalledError("ParentSecretInvalid", "No password") };
const waiting: Finding = {
  kind: "fault",
  error: new WaitingError("VolumePending", "Pending.", { retryAfter: seconds(5) }),
};
const later: Finding = {
  kind: "fault",
  error: new WaitingError("Silent", "Silent.", { retryAfter: seconds(9) }),
};
const skipped: Finding = { kind: "skipped", condition: "Available" };

function statusOf(outcome: Outcome) {
  const { conditions, action } = summarize(subject, outcome, [], 3, clock.now());
  expectSound({ observedGeneration: 3, conditions });
  const say = (type: string): string => {
    const condition = conditions.find((one) => one.type === type);
    return condition === undefined ? "-" : `${condition.status} ${condition.reason}`;
  };
  return { say, action, conditions };
}

describe("summarize", () => {
  it.each([
    {
      findings: [fine],
      three: ["True Ready", "False Settled", "False NotStalled"],
      action: awaitChange,
      because: "all is fine",
    },
    {
      findings: [fine, waiting],
      three: ["False VolumePending", "True VolumePending", "False NotStalled"],
      action: requeueAfter(seconds(5)),
      because: "something is on its way",
    },
    {
      findings: [waiting, stalled],
      three: ["False ParentSecretInvalid", "False Settled", "True ParentSecretInvalid"],
      action: requeueAfter(seconds(5)),
      because: "a person is needed, whatever else is on its way",
    },
    {
      findings: [later, waiting],
      three: ["False Silent", "True Silent", "False NotStalled"],
      action: requeueAfter(seconds(5)),
      because: "the first fault is shown, the soonest look is taken",
    },
    {
      findings: [stalled],
      three: ["False ParentSecretInvalid", "False Settled", "True ParentSecretInvalid"],
      action: awaitChange,
      because: "only a person can help, so looking again would only make noise",
    },
  ])("is $three.0 when $because", ({ findings, three, action }) => {
    const result = statusOf({ findings, ready });
    expect(["Ready", "Reconciling", "Stalled"].map(result.say)).toEqual(three);
    expect(result.action).toEqual(action);
  });

  it("does not know whether the object is Ready when a reconcile broke off, and says why", () => {
    const { say, conditions } = statusOf({ findings: [fine], ready, error: new Error("timeout") });
    expect(["Ready", "Reconciling", "Stalled"].map(say)).toEqual([
      "Unknown Retrying",
      "True Retrying",
      "False NotStalled",
    ]);
    expect(conditions[0]?.message).toMatch(/^The last attempt failed: timeout\. /);
  });

  it.each([
    { seconds: 0, generation: 3, findings: [fine], ready: "True", because: "one lost call is no news" },
    { seconds: 29, generation: 3, findings: [fine], ready: "True", because: "a short outage is none either" },
    {
      seconds: 29,
      generation: 3,
      findings: [waiting],
      ready: "True",
      because: "what is unfinished may be wrong",
    },
    { seconds: 30, generation: 3, findings: [fine], ready: "Unknown", because: "it lasts" },
    {
      seconds: 0,
      generation: 4,
      findings: [fine],
      ready: "Unknown",
      because: "of this spec nothing is known",
    },
    { seconds: 0, generation: 3, findings: [stalled], ready: "False", because: "a person is needed anyhow" },
  ])(
    "is $ready $seconds s after a Ready object's reconciles began to break off, because $because",
    ({ seconds: failed, generation, findings, ready: status }) => {
      const before = statusOf({ findings: [fine], ready }).conditions;
      const now = clock.now().plus({ seconds: failed });
      const outcome = { findings, ready, error: new Error("timeout") };
      const { conditions } = summarize(subject, outcome, before, generation, now, clock.now());
      expectSound({ observedGeneration: generation, conditions });
      expect(conditions.find(({ type }) => type === "Ready")?.status).toBe(status);
      expect(conditions === before).toBe(status === "True");
    },
  );

  it("gives each aspect a condition: fine, at fault, or not looked at", () => {
    const { say } = statusOf({ findings: [skipped, waiting, stalled], ready });
    expect(["ParentConfigured", "StorageReady", "Available"].map(say)).toEqual([
      "False ParentSecretInvalid",
      "False VolumePending",
      "Unknown NotReached",
    ]);
  });

  it("says commands with the object's own name and namespace, to be pasted", () => {
    const { conditions } = statusOf({ findings: [later], ready });
    expect(conditions[0]?.message).toContain("kubectl logs --namespace edge deployment/contoso-edge.");
    expect(JSON.stringify(conditions)).not.toContain("<name");
  });

  it("shows the fault where one step found an aspect fine and another did not", () => {
    expect(statusOf({ findings: [fine, later], ready }).say("Available")).toBe("False Silent");
  });

  it("returns the very same conditions if the next reconcile finds the same", () => {
    const outcome = { findings: [waiting, stalled], ready };
    const first = summarize(subject, outcome, [], 1, clock.now());
    const again = summarize(subject, outcome, first.conditions, 1, clock.now().plus({ hours: 1 }));
    expect(again.conditions).toBe(first.conditions);
  });
});
