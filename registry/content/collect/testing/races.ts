import { randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { seconds } from "../../../../common/clock.ts";
import { contentSettings } from "../../../../common/contract/content-settings.ts";
import { parseManifest } from "../../../../common/oci/manifest.ts";
import { ManualClock } from "../../../../common/testing/manual-clock.ts";
import { openMemoryContent, type RegistryContent } from "../../content.ts";
import type { ContentRepository } from "../../repository.ts";
import type { Ingest } from "../../store.ts";
import { image, index, item, repository, streamOf, tag, type Item } from "../../testing/images.ts";
import type { CollectOptions } from "../collector.ts";

const day = seconds(86_400);
const config = item("{}", "application/vnd.oci.image.config.v1+json");
const layer = item("layer one");
const other = item("layer two");

interface Place {
  readonly content: RegistryContent;
  readonly a: ContentRepository;
  readonly b: ContentRepository;
}

/** Something that a client or the sync does in several parts, each of which may come at any step of a collection. */
export interface Race {
  readonly what: string;
  readonly before: (place: Place) => Promise<void>;
  readonly parts: (place: Place) => readonly (() => Promise<void>)[];
  readonly options?: Partial<CollectOptions>;
}

async function pushAll(target: ContentRepository, ...items: readonly Item[]): Promise<void> {
  for (const each of items) await target.push(each.descriptor, streamOf(each));
}

async function put(target: ContentRepository, manifest: Item, ...tags: readonly string[]): Promise<void> {
  await target.putManifest(manifest.bytes, manifest.descriptor.mediaType, { tags: tags.map(tag) });
}

export function races(mediaType: string, indexType: string): readonly Race[] {
  const one = image(config, [layer, other], { mediaType });
  const both = index([one], indexType);
  const garbage = async ({ a, b }: Place): Promise<void> => {
    await pushAll(a, layer);
    await pushAll(b, layer, config);
  };
  return [
    {
      what: "a push of blobs that are here as garbage",
      before: garbage,
      parts: ({ a }) => [() => pushAll(a, layer), () => pushAll(a, config, other), () => put(a, one, "v1")],
    },
    {
      what: "a push that only asks for what is here",
      before: garbage,
      parts: ({ a }) => [
        async () => {
          if ((await a.blobSize(layer.descriptor.digest)) === undefined) await pushAll(a, layer);
          else await a.relyOnBlob(layer.descriptor.digest);
        },
        () => pushAll(a, config, other),
        () => put(a, one, "v1"),
      ],
    },
    {
      what: "a mount from a repository that is about to lose the blob",
      before: garbage,
      parts: ({ a, b }) => [
        async () => {
          if (!(await a.mountBlob(layer.descriptor.digest, b.name))) await pushAll(a, layer);
        },
        () => pushAll(a, config, other),
        () => put(a, one, "v1"),
      ],
    },
    {
      what: "an upload",
      before: garbage,
      parts: ({ content, a }) => {
        let id = "";
        return [
          async () => {
            ({ id } = await content.uploads.create(a.name));
            await content.uploads.find(a.name, id).append(streamOf(layer));
          },
          () => content.uploads.find(a.name, id).commit(layer.descriptor.digest),
          async () => {
            await pushAll(a, config, other);
            await put(a, one, "v1");
          },
        ];
      },
    },
    {
      what: "a sync that transfers in its own time",
      before: garbage,
      parts: ({ a }) => {
        let ingest: Ingest | undefined;
        return [
          async () => {
            ingest = await a.ingest(layer.descriptor);
          },
          async () => {
            if (ingest!.offset < layer.bytes.length) await ingest!.write(streamOf(layer));
            await ingest!.commit();
          },
          async () => {
            await pushAll(a, config, other, one);
            await a.tag(one.descriptor, tag("v1"));
          },
        ];
      },
    },
    {
      what: "a tag for an image that is about to go",
      before: async ({ a }) => {
        await pushAll(a, config, layer, other);
        await put(a, one, "old");
      },
      parts: ({ a }) => [
        () => pushAll(a, config, layer, other),
        () => put(a, one),
        () => a.tag(one.descriptor, tag("v1")),
      ],
      options: {
        retention: contentSettings.retention.parse([
          {
            repositories: ["**"],
            tags: [{ include: ["old"], keepPushedWithinSeconds: 60 }],
            untaggedAfterSeconds: 60,
          },
        ]),
      },
    },
    {
      what: "an index of an image that is about to go",
      before: async ({ a }) => {
        await pushAll(a, config, layer, other);
        await put(a, one, "old");
      },
      parts: ({ a }) => [() => pushAll(a, config, layer, other), () => put(a, one), () => put(a, both, "v1")],
      options: {
        retention: contentSettings.retention.parse([
          { repositories: ["**"], tags: [{ include: ["old"], keepPushedWithinSeconds: 60 }] },
        ]),
      },
    },
  ];
}

/** Collects, with each part at the step that `at` says, and what is left after the end. @returns how many steps there were */
async function collectWith(
  { content }: Place,
  parts: readonly (() => Promise<void>)[],
  at: readonly number[],
  options: Partial<CollectOptions> = {},
): Promise<number> {
  let step = 0;
  let next = 0;
  const pace = {
    breathe: async () => {
      step++;
      for (; next < parts.length && (at[next] ?? Infinity) <= step; next++) await parts[next]!();
    },
  };
  const report = await content.collector.collect({ graceSeconds: 3600, ...options }, undefined, pace);
  expect(report).toMatchObject({ state: "Succeeded" });
  for (; next < parts.length; next++) await parts[next]!();
  return step;
}

async function expectWhole({ a }: Place): Promise<void> {
  const root = await a.resolve(tag("v1"));
  await expect(a.exists(root)).resolves.toBe(true);
  const { manifests } = parseManifest((await a.manifest(root.digest)).bytes, root.mediaType);
  for (const child of manifests) await expect(a.exists(child)).resolves.toBe(true);
  for (const each of [config, layer, other]) {
    expect((await a.fetch(each.descriptor).then(buffer)).equals(each.bytes)).toBe(true);
  }
}

async function place(clock: ManualClock): Promise<Place> {
  const content = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined });
  return { content, a: content.open(repository("team/a")), b: content.open(repository("team/b")) };
}

/** Runs `race` with its parts at the steps that `at` says, and checks that it ended well. @returns the number of steps */
export async function expectToEndWell(
  { before, parts, options }: Race,
  at: readonly number[],
): Promise<number> {
  const clock = new ManualClock();
  const where = await place(clock);
  await before(where);
  await clock.advance(day);
  const steps = await collectWith(where, parts(where), at, options);
  await expectWhole(where);
  await collectWith(where, [], [], options);
  await expectWhole(where);
  await where.content.close();
  return steps;
}
