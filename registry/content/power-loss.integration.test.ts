import { provide } from "../../e2e/components/provide.ts";
import { silentProgress } from "../../e2e/terminal/progress.ts";
import { Recording, sampled } from "./testing/power-loss.ts";
import { Scratch } from "./testing/scratch.ts";
import { everything } from "./testing/scripts.ts";
import { traceScript } from "./testing/trace.ts";

/** How many of some thousand moments a quick run looks at; the long suite looks at all. */
const sample = 60;

describe("T81 when the power fails", () => {
  const scratch = new Scratch();
  let recording: Recording;

  beforeAll(async () => {
    const { strace } = provide(["strace"], silentProgress, AbortSignal.timeout(590_000));
    recording = new Recording(
      await traceScript(await strace, everything, await scratch.onDisk()),
      everything,
    );
  });

  afterAll(() => scratch.clear());

  test("the store is whole, and has all that was acknowledged", async () => {
    const damages = await recording.damages(
      sampled(recording.outages([1]), sample),
      await scratch.inMemory(),
    );
    expect(damages).toEqual([]);
  });

  // That the check can fail: each of these is needed.
  test.each([
    { what: "the bytes of a blob", path: /^data\/staging\// },
    { what: "the name of a blob", path: /^data\/blobs\/sha256\/..$/ },
    { what: "the directory of a blob", path: /^data\/blobs\/sha256$/ },
    { what: "the log of the database", path: /^data\/registry\.db-wal$/ },
    { what: "the database, before its log is emptied", path: /^data\/registry\.db$/ },
    { what: "the names of the database's files", path: /^data$/ },
    { what: "the copy of the database", path: /^data\/backups\/.*\.tmp$/ },
  ])("damage is seen if the disk only pretends to keep $what", async ({ path }) => {
    const lying = recording.without((synced) => path.test(synced));
    const outages = lying.outages([]).filter(({ fate }) => fate === "dropped");
    await expect(lying.damages(sampled(outages, 100), await scratch.inMemory(), 1)).resolves.toHaveLength(1);
  });
});
