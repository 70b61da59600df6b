import { SlowChecks } from "./slow-checks.ts";

/** A check that runs until it is let go. */
function held(): { check: () => Promise<string>; readonly started: boolean; release(): void } {
  let release = (): void => undefined;
  const state = {
    started: false,
    check(): Promise<string> {
      state.started = true;
      return new Promise((resolve) => {
        release = () => {
          resolve("done");
        };
      });
    },
    release() {
      release();
    },
  };
  return state;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("checks run one at a time, in the order in which they came", async () => {
  const checks = new SlowChecks();
  const [first, second] = [held(), held()];
  const results = [checks.run("10.0.0.1", first.check), checks.run("10.0.0.2", second.check)];
  await turn();
  expect([first.started, second.started]).toEqual([true, false]);
  first.release();
  await results[0];
  await turn();
  expect(second.started).toBe(true);
  second.release();
  await expect(Promise.all(results)).resolves.toEqual(["done", "done"]);
});

test("one network may have sixteen waiting, all together thirty-two: a flood is refused at once", async () => {
  const checks = new SlowChecks();
  const first = held();
  const results = [checks.run("10.0.0.0", first.check)];
  const outcomes = (address: string, count: number): Promise<readonly string[]> =>
    Promise.all(
      Array.from({ length: count }, () =>
        Promise.race([
          checks.run(address, () => Promise.resolve("done")).catch((error: unknown) => (error as Error).name),
          turn().then(() => "waits"),
        ]),
      ),
    );
  const of = (all: readonly string[], what: string): number => all.filter((each) => each === what).length;
  const flood = await outcomes("10.0.0.1", 1000);
  expect([of(flood, "waits"), of(flood, "TooManyAttemptsError")]).toEqual([16, 984]);
  const others = await outcomes("10.0.0.2", 20);
  expect([of(others, "waits"), of(others, "TooManyAttemptsError")]).toEqual([15, 5]);
  first.release();
  await Promise.all(results);
  await turn();
  await turn();
  await expect(checks.run("10.0.0.1", () => Promise.resolve("again"))).resolves.toBe("again");
});

test("a check that fails gives its place back", async () => {
  const checks = new SlowChecks();
  for (let time = 0; time < 40; time++) {
    await expect(checks.run("a", () => Promise.reject(new Error("boom")))).rejects.toThrow("boom");
  }
});
