import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RepositoryQuota } from "../../common/contract/content-settings.ts";
import { seconds } from "../../common/clock.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { openContent, openMemoryContent, type RegistryContent } from "./content.ts";
import { nodeFiles, type FileSystem } from "./files.ts";
import type { ContentRepository } from "./repository.ts";
import { image, item, repository, streamOf, tag, type Item } from "./testing/images.ts";

const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const other = item("layer two");
const full = { code: "STORAGE_FULL" };

describe("the quota of a repository", () => {
  const clock = new ManualClock();
  let quotas: readonly RepositoryQuota[];
  let content: RegistryContent;
  let a: ContentRepository;
  let b: ContentRepository;

  beforeEach(async () => {
    quotas = [];
    content = await openMemoryContent({
      ...{ clock, newId: randomUUID },
      quota: () => undefined,
      repositoryQuotas: () => quotas,
    });
    a = content.open(repository("team/a"));
    b = content.open(repository("team/b"));
  });

  afterEach(async () => {
    await content.close();
  });

  async function push(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
    for (const each of items) await target.push(each.descriptor, streamOf(each));
  }

  test("refuses what does not fit, whichever way it comes, and says which it is and what helps", async () => {
    const manifest = image(layer, []);
    await push(b, layer, other);
    quotas = [{ repositories: "team/a", bytes: layer.bytes.length + other.bytes.length - 1 }];
    await push(a, layer);
    await expect(push(a, other)).rejects.toMatchObject({
      ...full,
      message:
        "the quota of 17 bytes of the repository team/a is used up: delete what it needs no more, or raise its quota",
    });
    const upload = await content.uploads.create(a.name);
    await expect(upload.append(streamOf(other))).rejects.toMatchObject(full);
    await upload.cancel();
    const present = await a.ingest(other.descriptor);
    await expect(present.commit()).rejects.toMatchObject(full);
    await expect(a.mountBlob(other.descriptor.digest, b.name)).rejects.toMatchObject(full);
    await expect(push(a, manifest)).rejects.toMatchObject(full);
    await expect(a.exists(other.descriptor)).resolves.toBe(false);
    await push(b, manifest);
    quotas = [];
    await push(a, other, manifest);
  });

  test("refuses nothing that is there already: a mount, a transfer, another tag", async () => {
    const manifest = image(layer, []);
    await push(a, layer, manifest);
    await push(b, layer);
    quotas = [{ repositories: "team/a", bytes: layer.bytes.length + manifest.bytes.length }];
    await expect(a.mountBlob(layer.descriptor.digest, b.name)).resolves.toBe(true);
    await (await a.ingest(layer.descriptor)).commit();
    await a.putManifest(manifest.bytes, manifest.descriptor.mediaType, { tags: [tag("v2")] });
    await expect(push(a, other)).rejects.toMatchObject(full);
  });

  test("counts what is on its way in, until it is stored or gone", async () => {
    quotas = [{ repositories: "team/*", bytes: layer.bytes.length + other.bytes.length - 1 }];
    const upload = await content.uploads.create(a.name);
    await upload.append(streamOf(layer));
    const ingest = await b.ingest(other.descriptor);
    await ingest.write(streamOf(other));
    await expect(push(a, other)).rejects.toMatchObject(full);
    await expect(push(b, layer)).rejects.toMatchObject(full);
    await upload.cancel();
    await push(a, other);
    await ingest.suspend();
    await push(b, layer);
  });

  test("counts again what a transfer that rested has", async () => {
    quotas = [{ repositories: "team/*", bytes: layer.bytes.length + other.bytes.length - 1 }];
    const first = await a.ingest(other.descriptor);
    await first.write(streamOf(other));
    await first.suspend();
    const second = await a.ingest(other.descriptor);
    await expect(push(a, layer)).rejects.toMatchObject(full);
    await second.commit();
    await expect(push(a, layer)).rejects.toMatchObject(full);
  });

  test("gets back what is deleted, by a client or as garbage", async () => {
    quotas = [{ repositories: "**", bytes: layer.bytes.length }];
    await push(a, layer);
    await expect(push(a, other)).rejects.toMatchObject(full);
    await a.deleteBlob(layer.descriptor.digest);
    await push(a, other);
    await expect(push(a, layer)).rejects.toMatchObject(full);
    await clock.advance(seconds(3600));
    await content.collector.collect({ graceSeconds: 60 });
    await push(a, layer);
  });

  test("is the first of those that name it, and one that changes holds at once", async () => {
    quotas = [
      { repositories: "team/a", bytes: 1_000 },
      { repositories: "team/*", bytes: 1 },
    ];
    await push(a, layer);
    await expect(push(b, layer)).rejects.toMatchObject(full);
    quotas = [{ repositories: "team/a", bytes: 1 }];
    await push(b, layer);
    await expect(push(a, other)).rejects.toMatchObject(full);
  });

  test("is right after whatever happened to what the repository has", async () => {
    const manifest = image(config, [layer]);
    await push(a, config, layer, manifest);
    await push(a, layer, manifest);
    await a.putManifest(manifest.bytes, manifest.descriptor.mediaType, { tags: [] });
    await b.mountBlob(layer.descriptor.digest, a.name);
    await b.mountBlob(layer.descriptor.digest, a.name);
    expect(usage("team/a")).toBe(config.bytes.length + layer.bytes.length + manifest.bytes.length);
    expect(usage("team/b")).toBe(layer.bytes.length);
    await a.deleteManifest(manifest.descriptor.digest);
    await a.deleteBlob(config.descriptor.digest);
    expect(usage("team/a")).toBe(layer.bytes.length);
  });

  function usage(name: string): number {
    const row = content.scrubbed.database.statements.row(
      "SELECT bytes FROM repositories WHERE name = ?",
      name,
    );
    return Number(row?.bytes);
  }
});

test("mounts that come while changes have to wait do not exceed the quota of a repository", async () => {
  const directory = await mkdtemp(join(tmpdir(), "quota-"));
  let gate: Promise<unknown> = Promise.resolve();
  const open: FileSystem["open"] = async (...opened) => {
    const handle = await nodeFiles.open(...opened);
    const sync = handle.datasync.bind(handle);
    return Object.assign(handle, { datasync: () => gate.then(sync) });
  };
  const options = {
    ...{ clock: new ManualClock(), newId: randomUUID, quota: () => undefined },
    repositoryQuotas: () => [{ repositories: "team/a", bytes: 20 }],
  };
  const content = await openContent(directory, options, { ...nodeFiles, open });
  const here = content.open(repository("team/a"));
  const there = content.open(repository("team/b"));
  const many = Array.from({ length: 8 }, (_, n) => item(`layer ${n}`));
  for (const each of many) await there.push(each.descriptor, streamOf(each));

  const { promise, resolve } = Promise.withResolvers<undefined>();
  gate = promise;
  const emptying = content.scrubbed.database.still(() => Promise.resolve());
  const mounts = many.map(({ descriptor }) => here.mountBlob(descriptor.digest, there.name));
  let refused = 0;
  for (const mount of mounts) mount.catch(() => refused++);
  await eventually(() => refused === many.length - 2, "the others to be refused");
  resolve(undefined);
  await emptying;
  const outcomes = await Promise.allSettled(mounts);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  await content.close();
  await rm(directory, { recursive: true });
});
