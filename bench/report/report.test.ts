import type { LineResult } from "../line.ts";
import { chart } from "./chart.ts";
import { table } from "./table.ts";

const fast: LineResult = {
  name: "manifest",
  title: "GET manifest",
  measures: "Requests.",
  unit: "requests/s",
  figures: {
    ours: { median: 42_000, low: 41_000, high: 43_000 },
    nginx: { median: 60_000, low: 1, high: 2 },
  },
  checks: [
    {
      what: "× distribution",
      value: { median: 6.5, low: 6, high: 7 },
      bound: { kind: "at least", value: 6 },
    },
    { what: "p99", value: { median: 3, low: 3, high: 3 } },
  ],
};
const slow: LineResult = {
  ...fast,
  title: "Memory <idle>",
  figures: { ours: { median: 91, low: 91, high: 91 } },
  checks: [{ what: "MiB", value: { median: 91, low: 91, high: 91 }, bound: { kind: "at most", value: 90 } }],
};

test("the table says of each requirement whether it holds, with median, spread and what is asked for", () => {
  const text = table([fast, slow]);
  expect(text).toMatch(/^ {2}✔ 6\.50 {2}6\.00 to 7\.00 {2}× distribution {2}at least 6$/mu);
  expect(text).toMatch(/^ {2}· 3\.00 .* p99 +reported$/mu);
  expect(text).toMatch(/^ {2}✖ 91\.0 .* MiB +at most 90$/mu);
  expect(text).toContain("ours 42,000 (41,000 to 43,000) requests/s · nginx 60,000");
  expect(text).toContain("1 of 2 requirements do not hold.");
  expect(table([fast])).toContain("All 1 requirements hold.");
});

test("the chart has a bar for each contestant, and is well-formed", () => {
  const svg = chart([fast, slow], "two lines");
  expect(svg.match(/<rect [^>]*fill="#2563eb"/gu)).toHaveLength(3);
  expect(svg).toContain("Memory &lt;idle>");
  expect(svg.match(/<text /gu)).toHaveLength(svg.match(/<\/text>/gu)?.length ?? 0);
});
