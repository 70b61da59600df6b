import type { Condition } from "./conditions.ts";
import { expectSound } from "./sound.ts";

const condition = (
  type: string,
  status: Condition["status"],
  change: Partial<Condition> = {},
): Condition => ({
  type,
  status,
  reason: "Ready",
  message: "It is so.",
  lastTransitionTime: "2026-11-21T08:00:00Z",
  observedGeneration: 1,
  ...change,
});
const good = [condition("Ready", "True"), condition("Reconciling", "False"), condition("Stalled", "False")];

test("expectSound takes a sound status", () => {
  expect(() => {
    expectSound({ observedGeneration: 1, conditions: good });
  }).not.toThrow();
});

test("expectSound takes what a reconcile that broke off did not look at for what it was", () => {
  const anew = { reason: "Retrying", observedGeneration: 2 };
  const conditions = [
    condition("Ready", "Unknown", anew),
    condition("Reconciling", "True", anew),
    condition("Stalled", "False", anew),
    condition("Available", "True", { observedGeneration: 1 }),
  ];
  expect(() => {
    expectSound({ observedGeneration: 2, conditions });
  }).not.toThrow();
  expect(() => {
    expectSound({ observedGeneration: 2, conditions: [...conditions.slice(0, 2), good[2]!] });
  }).toThrow("another generation");
});

test.each<{ conditions: readonly Condition[]; fault: string }>([
  { conditions: good.slice(0, 2), fault: "one of the three is missing" },
  { conditions: [...good, condition("Ready", "True")], fault: "a condition appears twice" },
  {
    conditions: [condition("Ready", "False"), condition("Reconciling", "True"), condition("Stalled", "True")],
    fault: "both Reconciling and Stalled",
  },
  { conditions: [good[0]!, condition("Reconciling", "True"), good[2]!], fault: "Ready while not done" },
  {
    conditions: [condition("Ready", "False"), good[1]!, good[2]!],
    fault: "neither Ready, Reconciling nor Stalled",
  },
  {
    conditions: [...good, condition("Available", "True", { reason: "Fnord" })],
    fault: "unlisted reason Fnord",
  },
  { conditions: [...good, condition("Available", "True", { message: "" })], fault: "is not a sentence" },
  {
    conditions: [...good, condition("Available", "True", { observedGeneration: 0 })],
    fault: "another generation",
  },
  {
    conditions: [...good, condition("Available", "True", { lastTransitionTime: "now" })],
    fault: "transition time",
  },
])("expectSound objects: $fault", ({ conditions, fault }) => {
  expect(() => {
    expectSound({ observedGeneration: 1, conditions });
  }).toThrow(fault);
});
