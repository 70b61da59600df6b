import { randomBytes } from "node:crypto";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { RegistryContent } from "../content/content.ts";
import { ContentNotFoundError } from "../content/store.ts";
import { item, repository, streamOf, type Item } from "../content/testing/images.ts";
import { NotFoundError, ProtocolError, UnreachableError } from "../remote/errors.ts";
import { ContentParent, openContent } from "../sync/testing/content-parent.ts";
import { PartSize, sendBlob, type BlobRoute } from "./send-blob.ts";

const name = repository("apps/hello");
const KiB = 1024;

describe("T33 a blob goes up in parts", () => {
  let here: RegistryContent;
  let parent: ContentParent;
  let blob: Item;
  let parts: PartSize;
  let sent: number;

  beforeEach(async () => {
    const clock = new ManualClock();
    here = await openContent(clock);
    parent = new ContentParent(await openContent(clock));
    blob = item(randomBytes(2200 * KiB));
    await here.open(name).push(blob.descriptor, streamOf(blob));
    parts = new PartSize();
    parts.bytes = 1024 * KiB;
    sent = 0;
  });

  afterEach(async () => {
    await here.close();
    await parent.content.close();
  });

  const route = (): BlobRoute => ({
    from: here.open(name),
    to: parent.writer(name),
    uploads: here.outbox.uploads,
    parts,
    sent: (bytes) => {
      sent += bytes;
    },
    signal: new AbortController().signal,
  });
  const send = (): Promise<void> => sendBlob(blob.descriptor, undefined, route());
  const asked = (what: string): readonly string[] => parent.recent().filter((ask) => ask.startsWith(what));

  /** Fails the ask number `nth` that begins with `what`. */
  function failOnce(what: string, nth: number, error: Error): void {
    let seen = 0;
    parent.fault = (ask) => {
      if (ask.startsWith(what) && ++seen === nth) throw error;
    };
  }

  async function expectThere(): Promise<void> {
    await expect(parent.content.open(name).blobSize(blob.descriptor.digest)).resolves.toBe(blob.bytes.length);
    expect(here.outbox.uploads.find(name, blob.descriptor.digest)).toBeUndefined();
  }

  test("of equal size but for the last, which ends it; each counts once", async () => {
    await send();
    await expectThere();
    expect(asked("append apps")).toEqual(
      [0, 1024].map((at) => `append apps/hello ${at * KiB}+${1024 * KiB}`),
    );
    expect(sent).toBe(blob.bytes.length);
  });

  test("a small one goes with the request that ends it, and leaves no trace", async () => {
    parts.bytes = 8 * 1024 * KiB;
    await send();
    await expectThere();
    expect(asked("append")).toEqual([]);
  });

  test("a lost connection costs one part: the next try asks how far it is, also in another process", async () => {
    failOnce("append apps", 2, new UnreachableError("cut"));
    await expect(send()).rejects.toThrow(UnreachableError);
    expect(here.outbox.uploads.find(name, blob.descriptor.digest)?.offset).toBe(1024 * KiB);
    parent.recent();
    await send();
    await expectThere();
    expect(sent).toBe(blob.bytes.length);
    expect(asked("append apps")).toEqual([`append apps/hello ${1024 * KiB}+${1024 * KiB}`]);
  });

  test("what the parent took before the connection was lost is not sent again", async () => {
    failOnce("appended", 2, new UnreachableError("the answer was lost"));
    await expect(send()).rejects.toThrow(UnreachableError);
    parent.recent();
    await send();
    await expectThere();
    expect(asked("append apps")).toEqual([]);
  });

  test.each([
    { error: new ProtocolError("no", 416), because: "it expects another part" },
    { error: new NotFoundError("no"), because: "it lost the way" },
  ])("the parent is asked how far it is when $because", async ({ error }) => {
    failOnce("append apps", 2, error);
    await send();
    await expectThere();
    expect(sent).toBe(blob.bytes.length);
  });

  test("a parent that takes less at once gets less, for the next blobs, too", async () => {
    parent.fault = (ask) => {
      const size = Number(/\+(\d+)$/.exec(ask)?.[1] ?? 0);
      if (size > 300 * KiB) throw new ProtocolError("too much", 413);
    };
    await send();
    await expectThere();
    expect(parts.bytes).toBe(256 * KiB);
  });

  test("a parent that wants more at once gets more", async () => {
    const writer = parent.writer(name);
    const begin = writer.beginUpload.bind(writer);
    const to = Object.assign(Object.create(writer) as typeof writer, {
      beginUpload: async (...wanted: Parameters<typeof begin>) => {
        const upload = await begin(...wanted);
        return upload === undefined ? undefined : { ...upload, leastPart: 2000 * KiB };
      },
    });
    await sendBlob(blob.descriptor, undefined, { ...route(), to });
    await expectThere();
    expect(asked("append apps")).toEqual([`append apps/hello 0+${2000 * KiB}`]);
  });

  test("one that takes nothing is not asked for ever", async () => {
    parent.fault = (ask) => {
      if (ask.startsWith("append")) throw new ProtocolError("too much", 413);
    };
    await expect(send()).rejects.toMatchObject({ status: 413 });
    expect(asked("append").length).toBeLessThan(6);
  });

  test("an upload that the parent forgot begins again", async () => {
    failOnce("append apps", 2, new UnreachableError("cut"));
    await expect(send()).rejects.toThrow(UnreachableError);
    await here.outbox.uploads.keep(name, blob.descriptor.digest, {
      location: "0".repeat(36),
      offset: 1024 * KiB,
    });
    await send();
    await expectThere();
  });

  test("what is not here is not sent", async () => {
    const missing = item("nobody has this");
    await expect(sendBlob(missing.descriptor, undefined, route())).rejects.toThrow(ContentNotFoundError);
    expect(parent.recent()).toEqual([]);
  });
});
