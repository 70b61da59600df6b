import { randomUUID } from "node:crypto";
import { cp, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type ContentOptions, type RegistryContent } from "../content.ts";
import { checkDatabase } from "../rescue/checkup.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";

const name = repository("apps/hello");
const config = item("{}");
const [one, two] = ["one", "two"].map((text) => image(config, [], { annotations: { text } }));
const clock = new ManualClock();

describe("T83 the outbox of what a backup has replaced", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "restored-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function using<T>(
    work: (content: RegistryContent) => Promise<T>,
    more: Partial<ContentOptions> = {},
  ): Promise<T> {
    const content = await openContent(directory, {
      ...{ clock, newId: randomUUID, quota: () => undefined, goesUp: () => true },
      ...more,
      checkDatabase: (path) => Promise.resolve(checkDatabase(path)),
    });
    try {
      return await work(content);
    } finally {
      await content.close();
    }
  }

  async function put(content: RegistryContent, which: typeof one, text: string): Promise<void> {
    const here = content.open(name);
    await here.push(config.descriptor, streamOf(config));
    await here.putManifest(which!.bytes, which!.descriptor.mediaType, { tags: [tag(text)] });
  }

  test("a database, is marked, so that it gives way to what is newer; what is pushed from then on is not", async () => {
    await using(async (content) => {
      await put(content, one, "v1");
      await put(content, one, "v2");
      await content.outbox.uploads.keep(name, config.descriptor.digest, { location: "/x", offset: 1 });
      await clock.advance(seconds(1));
      await content.kept?.backups.take(content.kept.database);
      await put(content, two, "v1");
    });
    await truncate(join(directory, "registry.db"), 20_000);
    await using(async (content) => {
      expect(content.kept?.rescue).toMatchObject({ stage: "done", backup: {} });
      expect(content.outbox.entries(10, 0)).toMatchObject([
        { reference: "v1", digest: one!.descriptor.digest, restored: true },
        { reference: "v2", restored: true },
      ]);
      expect(content.outbox.uploads.find(name, config.descriptor.digest)).toBeUndefined();
      await put(content, two, "v1");
      expect(content.outbox.entries(10, 0)).toMatchObject([
        { reference: "v2", restored: true },
        { reference: "v1", digest: two!.descriptor.digest, restored: false },
      ]);
    });
  });

  /** The directory as it is, to be put back later. */
  async function backUp(): Promise<() => Promise<void>> {
    const backup = `${directory}.backup`;
    await cp(directory, backup, { recursive: true, preserveTimestamps: true });
    return async () => {
      await rm(directory, { recursive: true });
      await cp(backup, directory, { recursive: true, preserveTimestamps: true });
      await rm(backup, { recursive: true });
    };
  }

  test("whose files were put back by somebody is marked by itself", async () => {
    await using((content) => put(content, one, "v1"));
    const putBack = await backUp();
    await using(async (content) => {
      expect(content.outbox.entries(10, 0)).toMatchObject([{ restored: false }]);
    });
    await putBack();
    await using(async (content) => {
      expect(content.outbox.entries(10, 0)).toMatchObject([{ reference: "v1", restored: true }]);
      await put(content, two, "v2");
    });
    await using(async (content) => {
      expect(content.outbox.entries(10, 0)).toMatchObject([{ restored: true }, { restored: false }]);
    });
  });

  test.each([
    { placeOf: () => Promise.resolve("the same"), because: "the disk was put back as a whole" },
    { placeOf: () => Promise.resolve(undefined), because: "the file system does not know its age" },
  ])("looks as ever where $because, and is known by how far it had come", async ({ placeOf }) => {
    await using((content) => put(content, one, "v1"), { placeOf });
    const putBack = await backUp();
    let course = 0;
    await using(
      async ({ outbox }) => {
        await outbox.settle((await outbox.next(0))!, one!.descriptor.digest);
        course = outbox.course.count;
      },
      { placeOf },
    );
    await putBack();
    await using(
      async ({ outbox }) => {
        expect(outbox.entries(10, 0)).toMatchObject([{ restored: false }]);
        expect(outbox.course.count).toBeLessThan(course);
        await expect(outbox.course.putBack(course, outbox.course.lastId)).resolves.toBe(true);
        expect(outbox.entries(10, 0)).toMatchObject([{ restored: true }]);
        expect(outbox.course.count).toBe(course);
        await expect(outbox.course.putBack(course, outbox.course.lastId)).resolves.toBe(false);
      },
      { placeOf },
    );
  });

  test("a volume that is as it was left is no older state of itself", async () => {
    await using((content) => put(content, one, "v1"));
    await using(async ({ outbox }) => {
      const { count, lastId } = outbox.course;
      await expect(outbox.course.putBack(count, lastId)).resolves.toBe(false);
      expect(outbox.entries(10, 0)).toMatchObject([{ restored: false }]);
    });
  });
});
