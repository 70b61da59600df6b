import type { Condition } from "./conditions.ts";
import { provisioningStateOf } from "./provisioning.ts";

const token = { kind: "ClientToken", metadata: {} };
const condition = (type: string, status: Condition["status"]): Condition => ({
  type,
  status,
  reason: "Retrying",
  message: "It is.",
  lastTransitionTime: "2026-11-21T08:00:00Z",
});
const ready = [condition("Ready", "True"), condition("Stalled", "False")];
const stalled = [condition("Ready", "False"), condition("Stalled", "True")];
const waiting = [condition("Ready", "False"), condition("Stalled", "False")];
const unknown = [condition("Ready", "Unknown"), condition("Stalled", "False")];

test.each([
  { conditions: ready, before: undefined, is: "Succeeded" },
  { conditions: stalled, before: undefined, is: "Failed" },
  { conditions: waiting, before: undefined, is: "Creating" },
  { conditions: unknown, before: "Creating", is: "Creating" },
  { conditions: waiting, before: "Succeeded", is: "Updating" },
  { conditions: waiting, before: "Failed", is: "Updating" },
  { conditions: unknown, before: "Updating", is: "Updating" },
])("after $before an object is $is", ({ conditions, before, is }) => {
  expect(provisioningStateOf(token, conditions, before)).toBe(is);
});

test("an object that goes is Deleting, whatever else it is", () => {
  const going = { kind: "ClientToken", metadata: { deletionTimestamp: "2026-11-21T08:00:00Z" } };
  expect(provisioningStateOf(going, ready, "Succeeded")).toBe("Deleting");
});

test("a policy has no such state, as in Azure", () => {
  expect(provisioningStateOf({ kind: "SyncPolicy", metadata: {} }, ready, undefined)).toBeUndefined();
});
