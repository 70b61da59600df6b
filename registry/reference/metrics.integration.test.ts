import { liveMetrics } from "./metrics.ts";

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly string[];
}

/** The conventions of Prometheus, held by every metric of a registry that has just started. */
describe("the metrics of a registry", () => {
  let families: readonly Family[];

  beforeAll(async () => {
    const text = await liveMetrics();
    families = [...text.matchAll(/^# HELP (connected_registry_\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
      ([, name = "", help = "", type = ""]) => ({
        name,
        type,
        help,
        samples: text
          .split("\n")
          .filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[ {]`).test(line)),
      }),
    );
  });

  const named = (wrong: (family: Family) => boolean): readonly string[] =>
    families.filter(wrong).map(({ name }) => name);

  test("there are some of every subject that people ask about", () => {
    const subjects = [
      "http_requests",
      "http_request_duration",
      "http_sent_bytes",
      "uploads",
      "storage",
      "gc",
      "scrub",
    ];
    const missing = [...subjects, "auth_failures", "sync", "tls", "build_info"].filter(
      (subject) => !families.some(({ name }) => name.startsWith(`connected_registry_${subject}`)),
    );
    expect(missing).toEqual([]);
  });

  test("begin at zero: a rate over a counter that appears with its first event misses that event", () => {
    expect(named(({ samples }) => samples.length === 0)).toEqual([]);
    const counted = families
      .filter(({ type }) => type === "counter")
      .flatMap(({ samples }) => samples.filter((sample) => !sample.endsWith(" 0")));
    // Those that count what a start itself does.
    expect(counted.filter((sample) => !/_(parent|database)_/.test(sample))).toEqual([]);
  });

  test("have names that say what they count, and in which unit", () => {
    expect(named(({ name, type }) => (type === "counter") !== name.endsWith("_total"))).toEqual([]);
    expect(
      named(({ name }) => /(milliseconds|_ms|kilobytes|_kb|_mib|minutes|hours)(_|$)/.test(name)),
    ).toEqual([]);
    expect(named(({ name, type }) => type === "histogram" && !/_(seconds|bytes)$/.test(name))).toEqual([]);
    expect(named(({ help }) => !/^[A-Z0-9+].*\.$/.test(help))).toEqual([]);
  });
});
