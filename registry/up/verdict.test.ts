import { digestOf } from "../../common/oci/digest.ts";
import { tag } from "../content/testing/images.ts";
import { tagBeside } from "./beside.ts";
import { judgeTag } from "./verdict.ts";

const [ours, old, other, lost] = ["ours", "old", "other", "lost"].map((text) => digestOf(text));
const entry = { action: "put", digest: ours!, base: old, tried: [], restored: false } as const;
const deletion = { ...entry, action: "delete", digest: old! } as const;
const send = { kind: "send" };
const done = { kind: "done" };
const conflict = (settled: string) => ({ kind: "conflict", settled });

test.each([
  { of: entry, theirs: ours, policy: "parentWins", verdict: done, because: "it is there" },
  { of: entry, theirs: old, policy: "parentWins", verdict: send, because: "nothing has changed there" },
  {
    of: { ...entry, base: undefined },
    theirs: undefined,
    policy: "parentWins",
    verdict: send,
    because: "it is new",
  },
  {
    of: { ...entry, tried: [lost!] },
    theirs: lost,
    policy: "parentWins",
    verdict: send,
    because: "that was us",
  },
  {
    of: entry,
    theirs: other,
    policy: "parentWins",
    verdict: conflict("parentWins"),
    because: "somebody was there",
  },
  {
    of: entry,
    theirs: other,
    policy: "localWins",
    verdict: conflict("localWins"),
    because: "ours counts more",
  },
  { of: entry, theirs: other, policy: "keepBoth", verdict: conflict("keepBoth"), because: "both count" },
  {
    of: entry,
    theirs: undefined,
    policy: "parentWins",
    verdict: conflict("parentWins"),
    because: "it was deleted there",
  },
  {
    of: { ...entry, base: undefined },
    theirs: other,
    policy: "parentWins",
    verdict: conflict("parentWins"),
    because: "we never knew of it",
  },
  {
    of: { ...entry, restored: true },
    theirs: other,
    policy: "localWins",
    verdict: conflict("parentWins"),
    because: "a backup is old",
  },
  {
    of: { ...entry, restored: true },
    theirs: other,
    policy: "keepBoth",
    verdict: conflict("keepBoth"),
    because: "that takes nothing away",
  },
  {
    of: { ...entry, restored: true },
    theirs: old,
    policy: "parentWins",
    verdict: send,
    because: "nothing else is there",
  },
  { of: deletion, theirs: undefined, policy: "parentWins", verdict: done, because: "it is gone" },
  { of: deletion, theirs: old, policy: "parentWins", verdict: send, because: "it is what was deleted" },
  {
    of: { ...deletion, base: undefined },
    theirs: old,
    policy: "parentWins",
    verdict: send,
    because: "it is what was deleted, however it got there",
  },
  {
    of: deletion,
    theirs: other,
    policy: "keepBoth",
    verdict: conflict("parentWins"),
    because: "there is nothing of ours to keep",
  },
  {
    of: deletion,
    theirs: other,
    policy: "localWins",
    verdict: conflict("localWins"),
    because: "ours counts more",
  },
  {
    of: { ...deletion, restored: true },
    theirs: other,
    policy: "localWins",
    verdict: conflict("parentWins"),
    because: "a backup is old",
  },
] as const)("$of.action by $policy, $theirs: $because", ({ of, theirs, policy, verdict }) => {
  expect(judgeTag(of, theirs, policy)).toEqual(verdict);
});

test.each([
  { name: "v1", registry: "edge", because: "tag, name and digits" },
  {
    name: "x".repeat(128),
    registry: "a registry, somewhere/else",
    because: "never longer than a tag may be, nor with other characters",
  },
])("ours goes up under a tag of its own: $because", ({ name, registry }) => {
  const beside = tagBeside(tag(name), registry, ours!);
  expect(beside.length).toBeLessThanOrEqual(128);
  expect(beside).toMatch(new RegExp(`^${name.slice(0, 2)}.*-${ours!.slice(7, 19)}$`));
});

test("the name is the parent's tag, this registry's name and the digest", () => {
  expect(tagBeside(tag("v1"), "edge", ours!)).toBe(`v1-edge-${ours!.slice(7, 19)}`);
});
