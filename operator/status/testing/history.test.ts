import type { Kind, KubeObject } from "../../runtime/kube.ts";
import type { Condition } from "../conditions.ts";
import { StatusHistory, type Said } from "./history.ts";

const kind: Kind<KubeObject> = { apiVersion: "v1", kind: "A", plural: "as", namespaced: true };
const key = { namespace: "edge", name: "a" };

function said(
  ready: boolean,
  seconds: number,
  change: Partial<Condition> = {},
  observedGeneration = 1,
): Said {
  const lastTransitionTime = `2026-11-21T08:00:0${seconds}Z`;
  const one = (type: string, status: "True" | "False"): Condition => ({
    ...{ type, status, reason: ready ? "Ready" : "Silent", message: "It is so." },
    ...{ lastTransitionTime, observedGeneration },
  });
  const first = { ...one("Ready", ready ? "True" : "False"), ...change };
  const conditions = [first, one("Reconciling", ready ? "False" : "True"), one("Stalled", "False")];
  // Stalled never turns.
  return {
    observedGeneration,
    conditions: conditions.map((condition) =>
      condition.type === "Stalled" ? { ...condition, lastTransitionTime: "2026-11-21T08:00:00Z" } : condition,
    ),
  };
}

describe("StatusHistory", () => {
  test.each([
    { statuses: [said(false, 1), said(true, 2), said(false, 3)], fault: undefined, because: "all is well" },
    { statuses: [said(true, 1), said(true, 2)], fault: "another transition time", because: "nothing turned" },
    { statuses: [said(false, 2), said(true, 1)], fault: "turned before", because: "time runs forward" },
    {
      statuses: [said(true, 1, {}, 2), said(true, 1)],
      fault: "older generation",
      because: "a spec is not seen less than before",
    },
    {
      statuses: [said(true, 1), { ...said(true, 1), conditions: said(true, 1).conditions!.slice(0, 2) }],
      fault: "Stalled is gone",
      because: "conditions stay",
    },
    { statuses: [said(true, 1, { reason: "Nonsense" })], fault: "unlisted reason", because: "by itself" },
  ])("finds $fault, because $because", ({ statuses, fault }) => {
    const history = new StatusHistory();
    for (const status of statuses) history.record(kind, key, "u", status);
    expect(history.faults.join(" ")).toContain(fault ?? "");
    expect(history.faults.length > 0).toBe(fault !== undefined);
  });

  test("takes another object of the same name for another one, and tells the words in their order", () => {
    const history = new StatusHistory();
    history.record(kind, key, "u", said(true, 1, {}, 3));
    history.record(kind, key, "v", said(false, 2));
    history.record(kind, key, "v", said(false, 2));
    expect(history.faults).toEqual([]);
    expect(history.words(kind, key, "Ready")).toEqual(["True Ready", "False Silent"]);
    expect(() => {
      history.expectNoFaults();
    }).not.toThrow();
  });
});
