import { Readable } from "node:stream";
import { seconds } from "../../../../common/clock.ts";
import { DigestMismatchError } from "../../../../common/oci/digest.ts";
import { UploadBusyError, UploadNotFoundError } from "../../uploads.ts";
import { streamOf, unknownDigest } from "../images.ts";
import { layer, type StoreUnderTest } from "./store.ts";

/** What every content store promises of uploads. */
export function describeUploads(store: StoreUnderTest): void {
  describe("uploads", () => {
    test("come in parts and end with a digest", async () => {
      const { id } = await store.content.uploads.create(store.a.name);
      const upload = store.content.uploads.find(store.a.name, id);
      await upload.append(Readable.from([Buffer.from("layer")]));
      expect(store.content.uploads.find(store.a.name, id).offset).toBe(5);
      await upload.append(Readable.from([Buffer.from(" one")]));
      await upload.commit(layer.descriptor.digest);
      await expect(store.a.exists(layer.descriptor)).resolves.toBe(true);
      expect(() => store.content.uploads.find(store.a.name, id)).toThrow(UploadNotFoundError);
      expect(store.content.uploads.count).toBe(0);
    });

    test("S20 belong to their repository", async () => {
      const { id } = await store.content.uploads.create(store.a.name);
      expect(() => store.content.uploads.find(store.b.name, id)).toThrow(UploadNotFoundError);
      expect(() => store.content.uploads.find(store.a.name, "../../x")).toThrow(UploadNotFoundError);
    });

    test("end when the digest is wrong, and nothing is stored", async () => {
      const upload = await store.content.uploads.create(store.a.name);
      await upload.append(streamOf(layer));
      await expect(upload.commit(unknownDigest)).rejects.toMatchObject({ name: DigestMismatchError.name });
      expect(store.content.uploads.count).toBe(0);
      await expect(store.content.usage()).resolves.toBe(0);
    });

    test("may be cancelled, and have one writer at a time", async () => {
      const upload = await store.content.uploads.create(store.a.name);
      const endless = new Readable({ read: () => undefined });
      const writing = upload.append(endless);
      await expect(upload.append(streamOf(layer))).rejects.toMatchObject({ name: UploadBusyError.name });
      endless.destroy(new Error("client went away"));
      await expect(writing).rejects.toThrow("client went away");
      await upload.cancel();
      expect(store.content.uploads.count).toBe(0);
    });

    test("S05 are bounded in number, also when many are begun at once", async () => {
      const begun = Array.from({ length: 1_100 }, (_, i) =>
        store.content.uploads.create(store.a.name, { client: `client ${i % 10}` }),
      );
      const refused = (await Promise.allSettled(begun)).filter(({ status }) => status === "rejected");
      expect(refused).toHaveLength(100);
      expect(store.content.uploads.count).toBe(1_000);
    });

    test("that have ended take nothing more from a request that found them before", async () => {
      const upload = await store.content.uploads.create(store.a.name);
      const { id } = upload;
      const found = store.content.uploads.find(store.a.name, id);
      await upload.append(streamOf(layer));
      await upload.cancel();
      const ended = { name: UploadNotFoundError.name };
      await expect(found.append(streamOf(layer))).rejects.toMatchObject(ended);
      await expect(found.commit(layer.descriptor.digest)).rejects.toMatchObject(ended);
      await expect(found.cancel()).rejects.toMatchObject(ended);
    });

    test("S05 are bounded in number for one client, which leaves room for others, and expire", async () => {
      const one = { client: "one" };
      const first = await store.content.uploads.create(store.a.name, one);
      for (let n = 1; n < 200; n++) await store.content.uploads.create(store.a.name, one);
      const tooMany = { code: "TOOMANYREQUESTS" };
      await expect(store.content.uploads.create(store.b.name, one)).rejects.toMatchObject(tooMany);
      await expect(store.content.uploads.create(store.a.name, { client: "two" })).resolves.toMatchObject({
        offset: 0,
      });
      await first.cancel();
      await expect(store.content.uploads.create(store.b.name, one)).resolves.toMatchObject({ offset: 0 });
      await store.clock.advance(seconds(24 * 3600 + 1));
      await store.content.expire();
      expect(store.content.uploads.count).toBe(0);
      await expect(store.content.uploads.create(store.a.name)).resolves.toMatchObject({ offset: 0 });
    });
  });
}
