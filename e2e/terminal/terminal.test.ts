import { seconds } from "../../common/clock.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { bar, elapsed, heartbeatLine, percent, runningLine } from "./line.ts";
import type { Output } from "./output.ts";
import { silentProgress } from "./progress.ts";
import { terminalProgress } from "./terminal.ts";

class Screen implements Output {
  readonly isTTY: boolean;
  readonly columns = 60;
  text = "";

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }

  /** What can be read after every cursor movement was carried out. */
  get visible(): readonly string[] {
    const lines: string[] = [];
    for (const part of this.text.split(/(?=\u001b\[\d+A\r\u001b\[J)/u)) {
      const up = /^\u001b\[(?<lines>\d+)A\r\u001b\[J/u.exec(part);
      if (up !== null) lines.splice(lines.length - Number(up.groups?.lines));
      lines.push(
        ...part
          .slice(up?.[0].length ?? 0)
          .split("\n")
          .slice(0, -1),
      );
    }
    return lines;
  }
}

describe("elapsed", () => {
  test.each([
    { ms: 0, text: "0.0 s" },
    { ms: 440, text: "0.4 s" },
    { ms: 9_949, text: "9.9 s" },
    { ms: 12_400, text: "12 s" },
    { ms: 59_700, text: "1 min 00 s" },
    { ms: 185_000, text: "3 min 05 s" },
  ])("$ms ms reads $text", ({ ms, text }) => {
    expect(elapsed(ms)).toBe(text);
  });
});

test.each([
  { fraction: -1, text: "0 %", full: 0, because: "a report may be off by a little" },
  { fraction: 0.5, text: "50 %", full: 10, because: "half is half" },
  { fraction: 0.999, text: "99 %", full: 19, because: "100 % is said only at the end" },
  { fraction: 1.2, text: "100 %", full: 20, because: "more packages may be built than were counted" },
])("a bar at $fraction: $because", ({ fraction, text, full }) => {
  expect(percent(fraction)).toBe(text);
  expect(bar(fraction)).toBe("█".repeat(full) + "░".repeat(20 - full));
});

test("a running line never fills the terminal's last column, whatever the detail holds", () => {
  const step = { title: "etcd", elapsedMs: 1000, fraction: 0.5, detail: "a\tlong\ndetail ".repeat(9) };
  const line = runningLine(step, "*", 40);
  expect(line).toHaveLength(39);
  expect(line).toMatch(/^\* etcd {2}█+░+ {3}50 % {2}1…$/u);
});

test("a heartbeat says what is known", () => {
  const step = { title: "etcd", elapsedMs: 30_000, fraction: undefined, detail: undefined };
  expect(heartbeatLine(step)).toBe("… etcd  30 s");
  expect(heartbeatLine({ ...step, fraction: 0.25, detail: "x/net" })).toBe("… etcd  30 s  25 %  x/net");
});

describe("in a pipe", () => {
  test("a step is a line at its start, one at its end, and one every 15 seconds between", async () => {
    const screen = new Screen(false);
    const clock = new ManualClock();
    const result = await terminalProgress(screen, clock).step("etcd", async (report) => {
      report(0.5, "bbolt");
      await clock.advance(seconds(31));
      return 7;
    });
    expect(result).toBe(7);
    expect(screen.text).toBe("▶ etcd\n… etcd  15 s  50 %  bbolt\n… etcd  30 s  50 %  bbolt\n✔ etcd  31 s\n");
    await clock.advance(seconds(60));
    expect(screen.visible).toHaveLength(4);
    expect(clock.sleeping).toBe(0);
  });

  test("a failed step says why in one line, and rejects with its error", async () => {
    const screen = new Screen(false);
    const boom = new Error("no such package\nwith a long story");
    const failing = terminalProgress(screen, new ManualClock()).step("etcd", () => Promise.reject(boom));
    await expect(failing).rejects.toBe(boom);
    expect(screen.visible.at(-1)).toBe("✖ etcd  0.0 s  no such package");
  });
});

describe("on a terminal", () => {
  test("running steps are redrawn below the finished ones", async () => {
    const screen = new Screen(true);
    const clock = new ManualClock();
    const progress = terminalProgress(screen, clock);
    const first = Promise.withResolvers<undefined>();
    const second = Promise.withResolvers<undefined>();
    const steps = [
      progress.step("kubernetes", (report) => {
        report(0.25);
        return first.promise;
      }),
      progress.step("image", () => second.promise),
    ];
    await clock.advance(seconds(1));
    expect(screen.visible).toStrictEqual([
      expect.stringMatching(/^. kubernetes {2}█{5}░{15} {3}25 % {2}1\.0 s$/u),
      expect.stringMatching(/^. image {2}1\.0 s$/u),
    ]);
    second.resolve(undefined);
    await steps[1];
    expect(screen.visible).toStrictEqual(["✔ image  1.0 s", expect.stringContaining("kubernetes")]);
    first.reject(new Error("boom"));
    await expect(steps[0]).rejects.toThrow("boom");
    expect(screen.visible).toStrictEqual(["✔ image  1.0 s", "✖ kubernetes  1.0 s  boom"]);
    await clock.advance(seconds(1));
    expect(clock.sleeping).toBe(0);
  });
});

test("silent progress only runs the work", async () => {
  await expect(silentProgress.step("x", async (report) => (report(1), 5))).resolves.toBe(5);
});
