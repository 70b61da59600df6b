import { runServices, type Service } from "./service.ts";
import { silentLog } from "./testing/silent-log.ts";

function service(name: string, seen: string[], run?: Service["run"]): Service {
  return {
    name,
    ready: () => true,
    run:
      run ??
      ((signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            seen.push(`${name} stopped`);
            resolve();
          });
        })),
  };
}

describe("runServices", () => {
  test("stops services in reverse order, because what was started last depends on what was started first", async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const running = runServices([service("store", seen), service("http", seen)], stop.signal, silentLog);
    stop.abort();
    await running;
    expect(seen).toEqual(["http stopped", "store stopped"]);
  });

  test("fails with the error of the service that failed, after stopping the others", async () => {
    const seen: string[] = [];
    const boom = new Error("boom");
    const failing = service("bad", seen, () => Promise.reject(boom));
    await expect(
      runServices([service("store", seen), failing], new AbortController().signal, silentLog),
    ).rejects.toBe(boom);
    expect(seen).toEqual(["store stopped"]);
  });

  test("takes a service that ends unasked for failed, because nobody else would notice", async () => {
    const ending = service("short", [], () => Promise.resolve());
    await expect(runServices([ending], new AbortController().signal, silentLog)).rejects.toThrow(
      "short ended by itself",
    );
  });
});
