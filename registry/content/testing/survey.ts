import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { buffer } from "node:stream/consumers";
import { algorithmOf, digestOf, hexOf, type Descriptor, type Digest } from "../../../common/oci/digest.ts";
import type { RegistryContent } from "../content.ts";
import type { ContentRepository } from "../repository.ts";
import { uploadOf } from "./operations.ts";
import { uploadKey, type State } from "./model.ts";
import { at, blobs, manifests, names, tagNames } from "./universe.ts";

/** What readers see of a store, in a form that compares. */
export interface View {
  /** Names of repositories in the catalog. */
  readonly catalog: readonly string[];
  /** Of each repository of the universe: what it has, tags as `name=manifest`, referrers as `subject<manifest`. */
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
      const tags = [...is.tags].map(([name, manifest]) => `${at(tagNames, name)}=${manifest}`);
      return describe(at(names, i), [...is.blobs], [...is.manifests], tags, referrers);
    }),
  };
}

/** Reads all that readers can see. @throws if any of it is not what its digest says, or a manifest lacks a blob */
export async function survey(content: RegistryContent): Promise<View> {
  const catalog: string[] = [];
  for await (const name of content.list()) catalog.push(name);
  const repositories: string[] = [];
  for (const name of names) repositories.push(await surveyRepository(content.open(name)));
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

async function surveyRepository(target: ContentRepository): Promise<string> {
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
    tags.push(`${name}=${numberOf(await target.resolve(name))}`);
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

/** What no row may lack, and a question that finds those that do. */
const lacks = [
  [
    "an index lacks a child that is not marked as left out",
    `SELECT 1 FROM manifest_children k JOIN manifests p ON p.id = k.manifest WHERE k.sparse = 0 AND NOT EXISTS
     (SELECT 1 FROM manifests m JOIN manifest_contents c ON c.id = m.content
      WHERE m.repository = p.repository AND c.digest = k.digest)`,
  ],
  [
    "a manifest names a blob that its repository does not have",
    `SELECT 1 FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest WHERE NOT EXISTS
     (SELECT 1 FROM blob_links l WHERE l.repository = m.repository AND l.blob = u.blob)`,
  ],
  [
    "the bytes of a repository are counted wrong",
    `SELECT 1 FROM repositories r WHERE bytes <>
     (SELECT coalesce(sum(b.size), 0) FROM blob_links l JOIN blobs b ON b.id = l.blob WHERE l.repository = r.id) +
     (SELECT coalesce(sum(c.size), 0) FROM manifests m JOIN manifest_contents c ON c.id = m.content
      WHERE m.repository = r.id)`,
  ],
] as const;

/**
 * Looks into the files of a store that nobody has open.
 *
 * @throws if the database is damaged, a blob that it knows is not there or has other bytes, or it counts wrong
 */
export async function inspect(directory: string): Promise<void> {
  const database = new DatabaseSync(join(directory, "registry.db"), { readOnly: true });
  try {
    const rows = (sql: string): readonly Record<string, unknown>[] => database.prepare(sql).all();
    const [integrity] = rows("PRAGMA integrity_check");
    if (integrity?.integrity_check !== "ok") throw new Error(String(integrity?.integrity_check));
    if (rows("PRAGMA foreign_key_check").length > 0) throw new Error("a row names a row that is not there");
    for (const [what, sql] of lacks) if (rows(sql).length > 0) throw new Error(what);
    let stored = 0;
    for (const row of rows("SELECT digest, size FROM blobs")) {
      const digest = row.digest as Digest;
      const hex = hexOf(digest);
      const bytes = await readFile(join(directory, "blobs", algorithmOf(digest), hex.slice(0, 2), hex));
      if (digestOf(bytes, algorithmOf(digest)) !== digest)
        throw new Error(`the file of ${digest} is damaged`);
      if (bytes.length !== row.size) throw new Error(`${digest} has ${bytes.length} bytes`);
      stored += bytes.length;
    }
    for (const { size } of rows("SELECT size FROM manifest_contents")) stored += Number(size);
    const [usage] = rows("SELECT bytes FROM usage");
    if (usage?.bytes !== stored)
      throw new Error(`${stored} bytes are stored, and ${String(usage?.bytes)} are counted`);
  } finally {
    database.close();
  }
}

/** @throws if the store has files that no row of its database names, which a collection of garbage would have removed */
export async function checkFiles(directory: string): Promise<void> {
  const database = new DatabaseSync(join(directory, "registry.db"), { readOnly: true });
  try {
    const known = new Set(
      database
        .prepare("SELECT digest FROM blobs")
        .all()
        .map(({ digest }) => hexOf(digest as Digest)),
    );
    const files = await readdir(join(directory, "blobs"), { recursive: true, withFileTypes: true });
    const orphans = files.filter((file) => file.isFile() && !known.has(file.name));
    if (orphans.length > 0) throw new Error(`nothing names ${orphans.map(({ name }) => name).join(", ")}`);
  } finally {
    database.close();
  }
}
