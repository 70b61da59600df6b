import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { connectionState, StatusBoard, type StatusFacts } from "./board.ts";
import { seconds } from "../../../common/clock.ts";

const fault = { type: "Parent", code: "DENIED", description: "d", timestamp: "t", correlationId: "i" };
const faults = new Map([["Parent", fault]]);
const facts: StatusFacts = {
  version: "1",
  contact: "online",
  copying: false,
  sending: false,
  details: new Map(),
};

test.each([
  { given: { contact: "none" }, state: "Online", because: "a root registry has nobody to lose" },
  { given: { contact: "unknown" }, state: "Offline", because: "nothing was heard yet" },
  { given: { contact: "online" }, state: "Online", because: "the parent answers" },
  { given: { contact: "offline" }, state: "Offline", because: "it does not" },
  { given: { copying: true }, state: "Syncing", because: "something is being copied" },
  { given: { sending: true }, state: "Syncing", because: "something goes up" },
  { given: { copying: true, contact: "offline" }, state: "Offline", because: "nothing comes any more" },
  { given: { copying: true, details: faults }, state: "Unhealthy", because: "a fault outweighs being busy" },
  {
    given: { contact: "offline", details: faults },
    state: "Offline",
    because: "whether it lasts is unknown",
  },
] as const)("$state: $because", ({ given, state }) => {
  expect(connectionState({ ...facts, ...given })).toBe(state);
});

test("a fault keeps its first time and id as long as it is the same, and is told once", async () => {
  const clock = new ManualClock();
  let id = 0;
  const board = new StatusBoard("1", clock, () => `id-${++id}`);
  let told = 0;
  board.subscribe(() => (told += 1));
  board.setFault("Parent", { code: "DENIED", description: "no" });
  const [first] = board.current.statusDetails;
  await clock.advance(seconds(60));
  board.setFault("Parent", { code: "DENIED", description: "no" });
  expect(board.current.statusDetails).toEqual([first]);
  expect(told).toBe(1);
  board.setFault("Parent", undefined);
  expect(board.current.statusDetails).toEqual([]);
  expect(told).toBe(2);
});
