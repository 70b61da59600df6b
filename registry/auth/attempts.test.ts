import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { FailedAttempts } from "./attempts.ts";

let clock: ManualClock;
let attempts: FailedAttempts;

beforeEach(() => {
  clock = new ManualClock();
  attempts = new FailedAttempts(clock);
});

/** How long an attempt that fails has to wait; 0: it was looked at. */
function wait(user = "user", address = "10.0.0.1"): number {
  try {
    attempts.begin(user, address);
    return 0;
  } catch (error) {
    return (error as { retryAfterSeconds: number }).retryAfterSeconds;
  }
}

function fail(times: number, user?: string, address?: string): void {
  for (let time = 0; time < times; time++) expect(wait(user, address)).toBe(0);
}

test("the first ten failures cost nothing, each further one twice as much, up to a minute", async () => {
  fail(10);
  const waits: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    const next = wait();
    waits.push(next);
    await clock.advance(seconds(next));
    fail(1);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test.each([
  { because: "another user behind the same address", user: "other", address: "10.0.0.1", waits: 0 },
  { because: "the same user behind another address", user: "user", address: "10.0.0.2", waits: 0 },
  { because: "the same address in the form of IPv6", user: "user", address: "::ffff:10.0.0.1", waits: 1 },
  { because: "names that only look alike", user: "10.0.0.1\nuser", address: "", waits: 0 },
])("after ten failures $because waits $waits s", ({ user, address, waits }) => {
  fail(10);
  expect(wait(user, address)).toBe(waits);
});

test("of IPv6 a whole network counts as one", () => {
  fail(10, "user", "2001:db8::1");
  expect(wait("user", "2001:db8::ffff")).toBe(1);
  expect(wait("user", "2001:db8:0:1::1")).toBe(0);
});

test("attempts that are refused do not make the wait longer: nobody is locked out by a flood", async () => {
  fail(10);
  for (let attempt = 0; attempt < 1000; attempt++) expect(wait()).toBe(1);
  await clock.advance(seconds(1));
  expect(wait()).toBe(0);
});

test("an attempt counts when it begins, so that a hundred at once are not one", () => {
  const looked = Array.from({ length: 100 }, () => wait()).filter((seconds) => seconds === 0);
  expect(looked).toHaveLength(10);
});

test("an attempt that did not fail does not count, and nothing else is forgiven for it", () => {
  fail(10);
  attempts.succeed("user", "10.0.0.1");
  fail(1);
  expect(wait()).toBe(1);
});

test("failures are forgotten after a quarter of an hour without any, or when the clock is set back", async () => {
  fail(10);
  await clock.advance(seconds(15 * 60));
  fail(10);
  expect(wait()).toBe(1);
  await clock.advance(seconds(-3600));
  expect(wait()).toBe(0);
});

test("of users that are made up no more than ten thousand are remembered", () => {
  fail(10);
  for (let user = 0; user < 9_999; user++) fail(1, `user-${user}`);
  expect(wait()).toBe(1);
  fail(1, "one more");
  expect(wait()).toBe(0);
});
