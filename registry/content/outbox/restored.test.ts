import { randomUUID } from "node:crypto";
import { mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../../../common/clock.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { openContent, type RegistryContent } from "../content.ts";
import { checkDatabase } from "../rescue/checkup.ts";
import { image, item, repository, streamOf, tag } from "../testing/images.ts";

const name = repository("apps/hello");
const config = item("{}");
const [one, two] = ["one", "two"].map((text) => image(config, [], { annotations: { text } }));
const clock = new ManualClock();

describe("T83 the outbox of a database that a backup has replaced", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "restored-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function using<T>(work: (content: RegistryContent) => Promise<T>): Promise<T> {
    const content = await openContent(directory, {
      ...{ clock, newId: randomUUID, quota: () => undefined, goesUp: () => true },
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

  test("is marked, so that it gives way to what is newer; what is pushed from then on is not", async () => {
    await using(async (content) => {
      await put(content, one, "v1");
      await put(content, one, "v2");
      await content.outbox.keepUpload(name, config.descriptor.digest, { location: "/x", offset: 1 });
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
      expect(content.outbox.upload(name, config.descriptor.digest)).toBeUndefined();
      await put(content, two, "v1");
      expect(content.outbox.entries(10, 0)).toMatchObject([
        { reference: "v2", restored: true },
        { reference: "v1", digest: two!.descriptor.digest, restored: false },
      ]);
    });
  });
});
