import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoggedWrite, mostWithin, summaryOf, WriteLog } from "./write-log.ts";

const write = (at: number, change: Partial<LoggedWrite> = {}): LoggedWrite => ({
  user: "operator",
  verb: "patch",
  resource: "connectedregistries/status",
  namespace: "edge",
  name: "a",
  code: 200,
  at,
  ...change,
});

test.each([
  { times: [], most: 0, because: "nothing was written" },
  { times: [0, 5000, 10_000], most: 1, because: "each is five seconds after the one before" },
  { times: [0, 4999], most: 2, because: "the second came too early" },
  { times: [9000, 0, 8000, 6000], most: 3, because: "the log need not be in order" },
])("finds $most writes within five seconds in $times, because $because", ({ times, most }) => {
  expect(
    mostWithin(
      5000,
      times.map((at) => write(at)),
    ),
  ).toBe(most);
});

test("counts the writes of each object by themselves", () => {
  expect(mostWithin(5000, [write(0), write(1, { name: "b" }), write(2, { namespace: "other" })])).toBe(1);
});

test("sums up what was written, and what was refused", () => {
  const writes = [write(0, { verb: "create", resource: "secrets", code: 403 }), write(1), write(2)];
  expect(summaryOf(writes)).toEqual(["2 patch connectedregistries/status", "1 create secrets (403)"]);
});

test("reads the API server's audit log from a moment on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "write-log-"));
  try {
    const log = await WriteLog.create(folder);
    const [, path] = log.apiServerArgs;
    const event = (stageTimestamp: string, objectRef: object): string =>
      `${JSON.stringify({ verb: "patch", user: { username: "u" }, objectRef, responseStatus: { code: 200 }, stageTimestamp })}\n`;
    await writeFile(
      path!.replace("--audit-log-path=", ""),
      event("2026-11-21T08:00:00.000000Z", { resource: "pods", name: "early" }) +
        event("2026-11-21T08:00:01.500000Z", {
          resource: "connectedregistries",
          subresource: "status",
          namespace: "edge",
          name: "a",
        }),
    );
    await expect(log.since(Date.parse("2026-11-21T08:00:01Z"))).resolves.toEqual([
      write(Date.parse("2026-11-21T08:00:01.5Z"), { user: "u" }),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
