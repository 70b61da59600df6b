import { exponential } from "./backoff.ts";
import { seconds } from "./clock.ts";

describe("exponential", () => {
  const full = exponential(seconds(1), seconds(60), () => 0);

  test.each([
    { attempt: 1, wait: 1 },
    { attempt: 2, wait: 2 },
    { attempt: 5, wait: 16 },
    { attempt: 7, wait: 60 },
    { attempt: 5000, wait: 60 },
  ])("waits $wait s before try $attempt", ({ attempt, wait }) => {
    expect(full(attempt).as("seconds")).toBe(wait);
  });

  test("takes off up to half at random, so that many who failed together do not come back together", () => {
    expect(exponential(seconds(1), seconds(60), () => 0.999)(3).toMillis()).toBeLessThan(2010);
  });
});
