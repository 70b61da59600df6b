import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { seconds } from "../../common/clock.ts";
import { DigestMismatchError } from "../../common/oci/digest.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import type { ContentOptions, RegistryContent } from "./content.ts";
import type { ContentRepository } from "./repository.ts";
import { ContentInUseError, ContentNotFoundError, TagNotFoundError } from "./store.ts";
import {
  families,
  image,
  index,
  item,
  repository,
  streamOf,
  tag,
  unknownDigest,
  type Item,
} from "./testing/images.ts";
import { UploadBusyError, UploadNotFoundError } from "./uploads.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const other = item("layer two");

async function pushAll(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
  for (const each of items) await target.push(each.descriptor, streamOf(each));
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of items) found.push(each);
  return found;
}

/** What every implementation of the content store promises. */
export function describeContent(
  name: string,
  open: (options: ContentOptions) => Promise<RegistryContent>,
): void {
  // eslint-disable-next-line jest/valid-title -- a string, as its type says
  describe(name, () => {
    const clock = new ManualClock();
    let quota: number | undefined;
    let content: RegistryContent;
    let a: ContentRepository;
    let b: ContentRepository;

    beforeEach(async () => {
      quota = undefined;
      content = await open({ clock, newId: randomUUID, quota: () => quota });
      a = content.open(repository("team/a"));
      b = content.open(repository("team/b"));
    });

    afterEach(async () => {
      await content.close();
    });

    describe("blobs", () => {
      test.each([
        { what: "some bytes", blob: layer },
        { what: "no byte at all", blob: item("") },
        { what: "a sha512 digest", blob: item("x", "application/octet-stream", "sha512") },
        { what: "several chunks", blob: item(Buffer.alloc(300_000, "z")) },
      ])("are read as they were pushed: $what", async ({ blob }) => {
        await a.push(blob.descriptor, streamOf(blob));
        await expect(a.exists(blob.descriptor)).resolves.toBe(true);
        expect((await a.fetch(blob.descriptor).then(buffer)).equals(blob.bytes)).toBe(true);
        await expect(a.blobSize(blob.descriptor.digest)).resolves.toBe(blob.bytes.length);
      });

      test("are read in part", async () => {
        await pushAll(a, layer);
        const part = await a.readBlob(layer.descriptor.digest, { start: 6, end: 8 });
        await expect(buffer(part)).resolves.toEqual(Buffer.from("one"));
      });

      test("are no error and no work when they are there already", async () => {
        await pushAll(a, layer, layer);
        await expect(content.usage()).resolves.toBe(layer.bytes.length);
      });

      test.each([
        { bytes: "layer on", because: "the content ends early" },
        { bytes: "layer onE", because: "a byte is wrong" },
        { bytes: "layer one!", because: "there is more than was claimed" },
      ])("are refused whole when $because", async ({ bytes }) => {
        const push = a.push(layer.descriptor, Readable.from([Buffer.from(bytes)]));
        await expect(push).rejects.toMatchObject({ name: DigestMismatchError.name });
        await expect(a.exists(layer.descriptor)).resolves.toBe(false);
        await expect(content.usage()).resolves.toBe(0);
      });

      test("leave nothing behind when the stream breaks", async () => {
        const broken = new Readable({
          read() {
            this.destroy(new Error("the link was cut"));
          },
        });
        await expect(a.push(layer.descriptor, broken)).rejects.toThrow("the link was cut");
        await expect(a.exists(layer.descriptor)).resolves.toBe(false);
      });

      test("stop coming in when the signal aborts", async () => {
        const abort = new AbortController();
        const endless = new Readable({ read: () => undefined });
        const push = a.push(layer.descriptor, endless, { signal: abort.signal });
        abort.abort();
        await expect(push).rejects.toMatchObject({ name: "AbortError" });
        expect(endless.destroyed).toBe(true);
      });

      test("S20 are not there for a repository that has no link to them", async () => {
        await pushAll(a, layer);
        await expect(b.exists(layer.descriptor)).resolves.toBe(false);
        await expect(b.blobSize(layer.descriptor.digest)).resolves.toBeUndefined();
        await expect(b.readBlob(layer.descriptor.digest)).rejects.toMatchObject({
          name: ContentNotFoundError.name,
        });
        await expect(b.fetch(layer.descriptor)).rejects.toMatchObject({ digest: layer.descriptor.digest });
      });

      test("are stored once for all repositories", async () => {
        await pushAll(a, layer);
        await pushAll(b, layer);
        await expect(content.usage()).resolves.toBe(layer.bytes.length);
        await expect(b.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
      });

      test("S20 are checked even when another repository has them", async () => {
        await pushAll(a, layer);
        await expect(
          b.push(layer.descriptor, Readable.from([Buffer.from("guesswork")])),
        ).rejects.toMatchObject({
          name: DigestMismatchError.name,
        });
        await expect(b.exists(layer.descriptor)).resolves.toBe(false);
      });

      test("are mounted from a repository that has them, and only then", async () => {
        await pushAll(a, layer);
        await expect(b.mountBlob(layer.descriptor.digest, a.name)).resolves.toBe(true);
        await expect(b.exists(layer.descriptor)).resolves.toBe(true);
        await expect(b.mountBlob(other.descriptor.digest, a.name)).resolves.toBe(false);
        const c = content.open(repository("team/c"));
        await expect(c.mountBlob(layer.descriptor.digest, repository("team/none"))).resolves.toBe(false);
        await expect(c.known()).resolves.toBe(false);
      });

      test("are deleted in one repository only, and not while a manifest needs them", async () => {
        const manifest = image(config, [layer]);
        await pushAll(a, config, layer, manifest);
        await pushAll(b, layer);
        await expect(a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
          name: ContentInUseError.name,
        });
        await a.deleteManifest(manifest.descriptor.digest);
        await a.deleteBlob(layer.descriptor.digest);
        await expect(a.exists(layer.descriptor)).resolves.toBe(false);
        await expect(b.exists(layer.descriptor)).resolves.toBe(true);
        await expect(a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
          name: ContentNotFoundError.name,
        });
      });
    });

    describe.each(families)("T06 $family manifests", (family) => {
      const options = { mediaType: family.manifest };
      const one = image(config, [layer], options);
      const two = image(config, [other], options);
      const both = index([one, two], family.index);

      test("are read as they were pushed", async () => {
        await pushAll(a, config, layer, one);
        await expect(a.fetch(one.descriptor).then(buffer)).resolves.toEqual(one.bytes);
        await expect(a.manifest(one.descriptor.digest)).resolves.toMatchObject({
          descriptor: one.descriptor,
        });
        await expect(b.exists(one.descriptor)).resolves.toBe(false);
      });

      test("are refused while a blob is missing", async () => {
        await pushAll(a, config);
        await pushAll(b, layer);
        await expect(a.push(one.descriptor, streamOf(one))).rejects.toMatchObject({
          name: ContentNotFoundError.name,
          digest: layer.descriptor.digest,
        });
        await expect(a.exists(one.descriptor)).resolves.toBe(false);
      });

      test("are refused when they give a blob another size than it has", async () => {
        await pushAll(a, config, layer);
        const lying = image(config, [{ ...layer, descriptor: { ...layer.descriptor, size: 1 } }], options);
        await expect(a.push(lying.descriptor, streamOf(lying))).rejects.toMatchObject({
          name: InvalidManifestError.name,
        });
      });

      test("T06 of an index come after its children, but for those left out on purpose", async () => {
        await pushAll(a, config, layer, one);
        await expect(a.push(both.descriptor, streamOf(both))).rejects.toMatchObject({
          digest: two.descriptor.digest,
        });
        await a.push(both.descriptor, streamOf(both), { sparse: [two.descriptor.digest] });
        await expect(a.exists(both.descriptor)).resolves.toBe(true);
      });

      test("are deleted with their tags, in one repository only", async () => {
        await pushAll(a, config, layer, one);
        await pushAll(b, config, layer, one);
        await a.tag(one.descriptor, tag("v1"));
        await a.deleteManifest(one.descriptor.digest);
        await expect(a.resolve(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
        await expect(a.exists(one.descriptor)).resolves.toBe(false);
        await expect(b.fetch(one.descriptor).then(buffer)).resolves.toEqual(one.bytes);
        await b.deleteManifest(one.descriptor.digest);
        await expect(content.usage()).resolves.toBe(config.bytes.length + layer.bytes.length);
      });

      test("may be deleted though an index names them: it is sparse then", async () => {
        await pushAll(a, config, layer, other, one, two, both);
        await a.deleteManifest(one.descriptor.digest);
        await expect(a.exists(both.descriptor)).resolves.toBe(true);
      });

      test("of an index may name blobs instead of manifests, as the build cache of BuildKit does", async () => {
        const cache = index([layer, config], family.index);
        await pushAll(a, config);
        await expect(pushAll(a, cache)).rejects.toMatchObject({ digest: layer.descriptor.digest });
        await pushAll(a, layer, cache);
        await expect(a.exists(cache.descriptor)).resolves.toBe(true);
        await expect(a.deleteBlob(layer.descriptor.digest)).rejects.toMatchObject({
          name: ContentInUseError.name,
        });
      });

      test("S03 are listed in short pages when what they say of themselves is long", async () => {
        await pushAll(a, config);
        for (const letter of ["a", "b", "c"]) {
          const artifactType = `application/${letter.repeat(1_500_000)}`;
          await pushAll(a, image(config, [], { ...options, subject: one.descriptor, artifactType }));
        }
        const page = await a.referrerPage(one.descriptor.digest, { limit: 1000 });
        expect(page).toHaveLength(1);
        await expect(all(a.referrers(one.descriptor.digest))).resolves.toHaveLength(3);
      });

      test("are found by their subject, filtered by artifact type", async () => {
        const signature = image(config, [layer], {
          ...options,
          subject: one.descriptor,
          artifactType: "application/vnd.example.signature",
          annotations: { signer: "me" },
        });
        const sbom = image(config, [], { ...options, subject: one.descriptor });
        await pushAll(a, config, layer, signature, sbom);
        const found = await all(a.referrers(one.descriptor.digest));
        expect(found).toHaveLength(2);
        expect(found).toContainEqual({
          ...signature.descriptor,
          artifactType: "application/vnd.example.signature",
          annotations: { signer: "me" },
        });
        expect(found).toContainEqual({ ...sbom.descriptor, artifactType: config.descriptor.mediaType });
        await expect(
          a.referrerPage(one.descriptor.digest, { limit: 10 }, "application/vnd.example.signature"),
        ).resolves.toHaveLength(1);
        await expect(all(b.referrers(one.descriptor.digest))).resolves.toEqual([]);
      });
    });

    describe("tags", () => {
      const one = image(config, [layer]);
      const two = image(config, [other]);

      test("point at a manifest, and move", async () => {
        await pushAll(a, config, layer, other, one, two);
        await a.tag(one.descriptor, tag("v1"));
        await expect(a.resolve(tag("v1"))).resolves.toEqual(one.descriptor);
        await a.tag(two.descriptor, tag("v1"));
        await expect(a.resolve(tag("v1"))).resolves.toEqual(two.descriptor);
        await a.untag(tag("v1"));
        await expect(a.resolve(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
        await expect(a.untag(tag("v1"))).rejects.toMatchObject({ name: TagNotFoundError.name });
        await expect(a.exists(two.descriptor)).resolves.toBe(true);
      });

      test("never point at what is not there", async () => {
        await expect(a.tag(one.descriptor, tag("v1"))).rejects.toMatchObject({
          name: ContentNotFoundError.name,
        });
        await expect(all(a.tags())).resolves.toEqual([]);
      });

      test("are stored together with their manifest", async () => {
        await pushAll(a, config, layer);
        await a.putManifest(one.bytes, one.descriptor.mediaType, { tags: [tag("v1"), tag("latest")] });
        await expect(all(a.tags())).resolves.toEqual(["latest", "v1"]);
        await expect(
          a.putManifest(one.bytes, one.descriptor.mediaType, { expected: unknownDigest, tags: [tag("v2")] }),
        ).rejects.toMatchObject({ name: DigestMismatchError.name });
        await expect(all(a.tags())).resolves.toEqual(["latest", "v1"]);
      });

      test("are listed in ASCIIbetical order, page by page", async () => {
        await pushAll(a, config, layer, one);
        for (const name of ["b", "a", "B", "_x", "10", "9"]) await a.tag(one.descriptor, tag(name));
        await expect(all(a.tags())).resolves.toEqual(["10", "9", "B", "_x", "a", "b"]);
        await expect(a.tagPage({ after: "9", limit: 2 })).resolves.toEqual(["B", "_x"]);
        await expect(a.tagPage({ after: "b", limit: 2 })).resolves.toEqual([]);
      });
    });

    describe("repositories", () => {
      test("are listed in ASCIIbetical order when they have a manifest", async () => {
        const one = image(config, [layer]);
        for (const name of ["z", "team/a", "team-x"])
          await pushAll(content.open(repository(name)), config, layer, one);
        await pushAll(content.open(repository("blobs-only")), layer);
        await expect(all(content.list())).resolves.toEqual(["team-x", "team/a", "z"]);
        await expect(content.page({ after: "team-x", limit: 1 })).resolves.toEqual(["team/a"]);
        await expect(content.open(repository("blobs-only")).known()).resolves.toBe(true);
        await expect(content.open(repository("nobody")).known()).resolves.toBe(false);
      });
    });

    describe("transfers", () => {
      test("go on where they stopped", async () => {
        const first = await a.ingest(layer.descriptor);
        await first.write(Readable.from([Buffer.from("layer")]));
        await first.suspend();
        const second = await a.ingest(layer.descriptor);
        expect(second.offset).toBe(5);
        await second.write(Readable.from([Buffer.from(" one")]));
        await second.commit();
        await expect(a.fetch(layer.descriptor).then(buffer)).resolves.toEqual(layer.bytes);
        await second.suspend();
      });

      test("begin afresh when what came was wrong", async () => {
        const first = await a.ingest(layer.descriptor);
        await first.write(Readable.from([Buffer.from("LAYER ONE")]));
        await expect(first.commit()).rejects.toMatchObject({ name: DigestMismatchError.name });
        const second = await a.ingest(layer.descriptor);
        expect(second.offset).toBe(0);
        await second.suspend();
        await expect(a.exists(layer.descriptor)).resolves.toBe(false);
      });

      test("of one blob wait for each other, and the second finds it done", async () => {
        const first = await a.ingest(layer.descriptor);
        const second = b.ingest(layer.descriptor);
        await first.write(streamOf(layer));
        await first.commit();
        const done = await second;
        expect(done.offset).toBe(layer.bytes.length);
        await expect(b.exists(layer.descriptor)).resolves.toBe(false);
        await done.commit();
        await expect(b.exists(layer.descriptor)).resolves.toBe(true);
      });

      test("stop waiting when the signal aborts", async () => {
        const first = await a.ingest(layer.descriptor);
        const abort = new AbortController();
        const second = a.ingest(layer.descriptor, abort.signal);
        abort.abort(new Error("the window closed"));
        await expect(second).rejects.toThrow("the window closed");
        await first.suspend();
        await expect(a.ingest(layer.descriptor).then(({ offset }) => offset)).resolves.toBe(0);
      });
    });

    describe("uploads", () => {
      test("come in parts and end with a digest", async () => {
        const { id } = await content.uploads.create(a.name);
        const upload = content.uploads.find(a.name, id);
        await upload.append(Readable.from([Buffer.from("layer")]));
        expect(content.uploads.find(a.name, id).offset).toBe(5);
        await upload.append(Readable.from([Buffer.from(" one")]));
        await upload.commit(layer.descriptor.digest);
        await expect(a.exists(layer.descriptor)).resolves.toBe(true);
        expect(() => content.uploads.find(a.name, id)).toThrow(UploadNotFoundError);
        expect(content.uploads.count).toBe(0);
      });

      test("S20 belong to their repository", async () => {
        const { id } = await content.uploads.create(a.name);
        expect(() => content.uploads.find(b.name, id)).toThrow(UploadNotFoundError);
        expect(() => content.uploads.find(a.name, "../../x")).toThrow(UploadNotFoundError);
      });

      test("end when the digest is wrong, and nothing is stored", async () => {
        const upload = await content.uploads.create(a.name);
        await upload.append(streamOf(layer));
        await expect(upload.commit(unknownDigest)).rejects.toMatchObject({ name: DigestMismatchError.name });
        expect(content.uploads.count).toBe(0);
        await expect(content.usage()).resolves.toBe(0);
      });

      test("may be cancelled, and have one writer at a time", async () => {
        const upload = await content.uploads.create(a.name);
        const endless = new Readable({ read: () => undefined });
        const writing = upload.append(endless);
        await expect(upload.append(streamOf(layer))).rejects.toMatchObject({ name: UploadBusyError.name });
        endless.destroy(new Error("client went away"));
        await expect(writing).rejects.toThrow("client went away");
        await upload.cancel();
        expect(content.uploads.count).toBe(0);
      });

      test("S05 are bounded in number, also when many are begun at once", async () => {
        const begun = Array.from({ length: 1_100 }, (_, i) =>
          content.uploads.create(a.name, { client: `client ${i % 10}` }),
        );
        const refused = (await Promise.allSettled(begun)).filter(({ status }) => status === "rejected");
        expect(refused).toHaveLength(100);
        expect(content.uploads.count).toBe(1_000);
      });

      test("that have ended take nothing more from a request that found them before", async () => {
        const upload = await content.uploads.create(a.name);
        const { id } = upload;
        const found = content.uploads.find(a.name, id);
        await upload.append(streamOf(layer));
        await upload.cancel();
        const ended = { name: UploadNotFoundError.name };
        await expect(found.append(streamOf(layer))).rejects.toMatchObject(ended);
        await expect(found.commit(layer.descriptor.digest)).rejects.toMatchObject(ended);
        await expect(found.cancel()).rejects.toMatchObject(ended);
      });

      test("S05 are bounded in number for one client, which leaves room for others, and expire", async () => {
        const one = { client: "one" };
        const first = await content.uploads.create(a.name, one);
        for (let n = 1; n < 200; n++) await content.uploads.create(a.name, one);
        const tooMany = { code: "TOOMANYREQUESTS" };
        await expect(content.uploads.create(b.name, one)).rejects.toMatchObject(tooMany);
        await expect(content.uploads.create(a.name, { client: "two" })).resolves.toMatchObject({ offset: 0 });
        await first.cancel();
        await expect(content.uploads.create(b.name, one)).resolves.toMatchObject({ offset: 0 });
        await clock.advance(seconds(24 * 3600 + 1));
        await content.expire();
        expect(content.uploads.count).toBe(0);
        await expect(content.uploads.create(a.name)).resolves.toMatchObject({ offset: 0 });
      });
    });

    describe("the quota", () => {
      test("refuses what does not fit, whichever way it comes, and nothing of it stays", async () => {
        quota = layer.bytes.length + other.bytes.length - 1;
        await pushAll(a, layer);
        const full = { code: "STORAGE_FULL" };
        await expect(a.push(other.descriptor, streamOf(other))).rejects.toMatchObject(full);
        const upload = await content.uploads.create(a.name);
        await expect(upload.append(streamOf(other))).rejects.toMatchObject(full);
        await upload.cancel();
        const ingest = await a.ingest(other.descriptor);
        await expect(ingest.write(streamOf(other))).rejects.toMatchObject(full);
        await ingest.suspend();
        const manifest = image(layer, []);
        await expect(a.push(manifest.descriptor, streamOf(manifest))).rejects.toMatchObject(full);
        quota += 1;
        await pushAll(a, other);
        await expect(content.usage()).resolves.toBe(quota);
      });
    });
  });
}
