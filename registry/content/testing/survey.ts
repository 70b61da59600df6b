import { buffer } from "node:stream/consumers";
import type { Descriptor } from "../../../common/oci/digest.ts";
import type { RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { uploadOf } from "./operations.ts";
import { uploadKey, type State } from "./model.ts";
import { at, blobs, manifests, names, tagNames } from "./universe.ts";

/** What readers see of a store, in a form that compares. */
export interface View {
  /** Names of repositories in the catalog. */
  readonly catalog: readonly string[];
  /** Of each repository of the universe: what it has, tags as `name=manifest`, with `!` if locked, referrers as `subject<manifest`. */
  readonly repositories: readonly string[];
}

/** What a store in `state` shows. */
export function viewOf(state: State): View {
  return {
    catalog: names.filter((_, i) => at(state.repositories, i).manifests.size > 0).sort(),
    repositories: state.repositories.map((is, i) => {
      const referrers = [...is.manifests].flatMap((number) => {
        const { subject } = at(manifests, number);
        return subject === undefined ? [] : [`${subject}<${number}`];
      });
      const tags = [...is.tags].map(
        ([name, manifest]) => `${at(tagNames, name)}=${manifest}${is.locked.has(name) ? "!" : ""}`,
      );
      return describe(at(names, i), [...is.blobs], [...is.manifests], tags, referrers);
    }),
  };
}

/** Reads all that readers can see. @throws if any of it is not what its digest says, or a manifest lacks a blob */
export async function survey(content: RegistryContent): Promise<View> {
  const catalog: string[] = [];
  for await (const name of content.list()) catalog.push(name);
  const repositories: string[] = [];
  for (const name of names) repositories.push(await surveyRepository(content, content.open(name)));
  return { catalog, repositories };
}

/** Uploads that the store goes on with, as the model has them. */
export function surveyUploads(content: RegistryContent): State["uploads"] {
  const found = names.flatMap((name, repository) =>
    blobs.flatMap((_, number) => {
      const upload = uploadOf(content, name, number);
      return upload === undefined
        ? []
        : [[uploadKey({ in: repository, upload: number }), upload.offset] as const];
    }),
  );
  return new Map(found);
}

async function surveyRepository({ locks }: RegistryContent, target: ContentRepository): Promise<string> {
  const hasBlobs: number[] = [];
  for (const [i, { descriptor, bytes }] of blobs.entries()) {
    if (!(await target.exists(descriptor))) {
      // A row without its file would be a blob that is known and cannot be read.
      if (await target.readBlob(descriptor.digest).then(closed, () => false))
        throw new Error(`blob ${i} is torn`);
      continue;
    }
    hasBlobs.push(i);
    if (!(await target.fetch(descriptor).then(buffer)).equals(bytes)) throw new Error(`blob ${i} is damaged`);
  }
  const hasManifests: number[] = [];
  const referrers: string[] = [];
  for (const [i, { item, blobs: needs }] of manifests.entries()) {
    for await (const { digest } of target.referrers(item.descriptor.digest)) {
      referrers.push(`${i}<${manifests.findIndex((each) => each.item.descriptor.digest === digest)}`);
    }
    if (!(await target.exists(item.descriptor))) continue;
    hasManifests.push(i);
    const { bytes } = await target.manifest(item.descriptor.digest);
    if (!item.bytes.equals(bytes)) throw new Error(`manifest ${i} is damaged`);
    for (const blob of needs)
      if (!hasBlobs.includes(blob)) throw new Error(`manifest ${i} lacks blob ${blob}`);
  }
  const tags: string[] = [];
  for await (const name of target.tags()) {
    const item = await locks.describe(target.name, { kind: "tag", tag: name });
    const mark = item?.attributes.writeEnabled === false ? "!" : "";
    tags.push(`${name}=${numberOf(await target.resolve(name))}${mark}`);
  }
  return describe(target.name, hasBlobs, hasManifests, tags, referrers);
}

async function closed(stream: { destroy(): unknown }): Promise<boolean> {
  stream.destroy();
  return true;
}

function numberOf({ digest }: Descriptor): number {
  return manifests.findIndex(({ item }) => item.descriptor.digest === digest);
}

function describe(
  name: string,
  blobNumbers: readonly number[],
  manifestNumbers: readonly number[],
  tags: readonly string[],
  referrers: readonly string[],
): string {
  const numbers = (list: readonly number[]): string => [...list].sort((a, b) => a - b).join(" ");
  const words = (list: readonly string[]): string => [...list].sort().join(" ");
  return `${name}: blobs ${numbers(blobNumbers)}; manifests ${numbers(manifestNumbers)}; ${words(tags)}; ${words(referrers)}`;
}
