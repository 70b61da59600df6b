import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duration } from "luxon";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { MetadataDatabase } from "../metadata-database.ts";
import { nodeFiles } from "../files.ts";
import { Backups } from "./backups.ts";
import type { DatabaseCheck } from "./check-in-child.ts";
import { checkDatabase } from "./checkup.ts";

const sound: DatabaseCheck = (path) => Promise.resolve(checkDatabase(path));

describe("copies of the database", () => {
  let directory: string;
  let clock: ManualClock;
  let database: MetadataDatabase;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "backups-"));
    clock = new ManualClock("2026-01-01T00:00:00Z");
    database = await MetadataDatabase.open(join(directory, "registry.db"), clock);
  });

  afterEach(async () => {
    await database.close();
    await rm(directory, { recursive: true });
  });

  const backups = (check = sound, at = clock): Backups =>
    new Backups(join(directory, "backups"), nodeFiles, check, at);

  const note = (name: string): Promise<unknown> =>
    database.change(() => database.statements.run("INSERT INTO repositories (name) VALUES (?)", name));

  test("T58 one of a time to come is older than all that follow: the newest is kept, and restored", async () => {
    const wrong = new ManualClock("2029-01-01T00:00:00Z");
    await backups(sound, wrong).take(database);
    await wrong.advance(Duration.fromObject({ days: 1 }));
    await backups(sound, wrong).take(database);
    const restored = join(directory, "restored.db");
    for (const name of ["one", "two", "three"]) {
      await clock.advance(Duration.fromObject({ days: 1 }));
      await note(name);
      await backups().take(database);
      const [newest] = await backups().list();
      expect(newest?.takenAt).toEqual(clock.now());
      await expect(backups().restore(restored)).resolves.toMatchObject({ takenAt: clock.now() });
    }
    await expect(readdir(join(directory, "backups"))).resolves.toHaveLength(2);
  });

  test("the log is emptied while a copy is checked, however long that takes", async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<undefined>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<undefined>();
    const taking = backups(async (path) => {
      begin(undefined);
      await done;
      return checkDatabase(path);
    }).take(database);
    await begun;
    await database.still(() => Promise.resolve());
    finish(undefined);
    await expect(taking).resolves.toEqual({ structure: [], links: [], manifests: [] });
  });

  test("a check that could not look at the file says nothing about it", () => {
    expect(() => checkDatabase(join(directory, "nothing.db"))).toThrow("unable to open database file");
  });
});
