import { buffer } from "node:stream/consumers";
import type { Descriptor, Digest } from "../../common/oci/digest.ts";
import { InvalidManifestError, maxManifestBytes, parseManifest } from "../../common/oci/manifest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import { everyPlatform, type PlatformFilter } from "../sync/planning/platform.ts";
import type { ReferrerFilter } from "../sync/referrers/referrer-filter.ts";
import type { Completion } from "./completion.ts";
import type { Desk, Source } from "./desk.ts";
import { Once } from "./once.ts";
import type { PendingManifest, PendingManifests } from "./pending.ts";

interface ManifestParts {
  readonly desk: Desk;
  readonly pending: PendingManifests;
  /** Whether a client changed the tag here, or deleted the manifest, and the parent does not know that yet. */
  readonly unsent: (repository: RepositoryName, reference: Tag | Digest, digest: Digest) => boolean;
  readonly completion: Pick<Completion, "point">;
}

/** A manifest of the parent: in the store, or on its way there. */
export type FoundManifest = PendingManifest | (StoredManifest & { readonly manifest?: undefined });

/** Signatures, SBOMs and the like of one image: a client that lists them wants to see some. */
const maxReferrers = 100;

/** Manifests that clients ask for, each asked for once however many want it (T38). */
export class DemandedManifests {
  private readonly parts: ManifestParts;
  private readonly flights = new Once();

  constructor(parts: ManifestParts) {
    this.parts = parts;
  }

  /** Resolves when none is asked for. */
  async idle(): Promise<void> {
    await this.flights.idle();
  }

  /** What the parent has under `tag`. @throws {ElsewhereError} and what the parent's errors are */
  async tagged(repository: ContentRepository, tag: Tag, platforms: PlatformFilter): Promise<FoundManifest> {
    const source = this.parts.desk.source(repository.name);
    return await this.flights.do(`${repository.name} ${tag} ${platforms.key}`, async () => {
      const here = repository.find(tag)?.descriptor.digest;
      const root = await source.repository.resolve(tag, source.signal);
      if (this.parts.unsent(repository.name, tag, root.digest)) throw new TagNotFoundError(tag);
      return await this.take(repository, source, { root, tag, here, platforms });
    });
  }

  /**
   * What the parent has under `tag` if it is something else than `here`. A change that a client made here is newer than the
   * parent's, as long as the parent does not know of it.
   *
   * @throws as `tagged`
   */
  async newer(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    platforms: PlatformFilter,
  ): Promise<FoundManifest | undefined> {
    if (this.parts.unsent(repository.name, tag, here)) throw new TagNotFoundError(tag);
    const source = this.parts.desk.source(repository.name);
    return await this.flights.do(`${repository.name} ${tag} ${here} ${platforms.key}`, async () => {
      const root = await source.repository.resolve(tag, source.signal);
      if (root.digest === here) return undefined;
      return await this.take(repository, source, { root, tag, here, platforms });
    });
  }

  /** What something that the parent gave us names, or that the parent has. @throws as `tagged` */
  async digested(
    repository: ContentRepository,
    wanted: Descriptor | Digest,
    platforms: PlatformFilter,
  ): Promise<PendingManifest> {
    const source = this.parts.desk.source(repository.name);
    const digest = typeof wanted === "string" ? wanted : wanted.digest;
    if (this.parts.unsent(repository.name, digest, digest)) throw new ContentNotFoundError(digest);
    return await this.flights.do(`${repository.name} ${digest}`, async () => {
      const root =
        typeof wanted === "string"
          ? await source.repository.describe(wanted, "manifest", source.signal)
          : wanted;
      return await this.fetch(repository, source, root, platforms);
    });
  }

  /** What refers to `subject` at the parent and is not here, as far as it is wanted. @throws as `tagged` */
  async referring(
    repository: ContentRepository,
    subject: Digest,
    wanted: ReferrerFilter,
  ): Promise<readonly PendingManifest[]> {
    const source = this.parts.desk.source(repository.name);
    return await this.flights.do(`${repository.name} of ${subject} ${wanted.key}`, async () => {
      const found: PendingManifest[] = [];
      for await (const listed of source.repository.referrers(subject, source.signal)) {
        if (found.length >= maxReferrers) break;
        const { digest } = listed;
        if (repository.find(digest) !== undefined) continue;
        if (this.parts.unsent(repository.name, digest, digest)) continue;
        const pending = await this.fetch(repository, source, listed, everyPlatform);
        if (pending.manifest.subject === subject && wanted.wants(typesOf(pending))) found.push(pending);
      }
      return found;
    });
  }

  private async take(
    repository: ContentRepository,
    source: Source,
    wanted: {
      readonly root: Descriptor;
      readonly tag: Tag;
      readonly here: Digest | undefined;
      readonly platforms: PlatformFilter;
    },
  ): Promise<FoundManifest> {
    const { root, tag, here, platforms } = wanted;
    const stored = repository.find(root.digest);
    if (stored !== undefined) {
      const tags = new Map([[tag, here]]);
      await this.parts.completion.point(repository, { descriptor: stored.descriptor, tags }, tag);
      return stored;
    }
    const found = await this.fetch(repository, source, root, platforms);
    this.parts.pending.note(repository.name, found, tag, here);
    return found;
  }

  private async fetch(
    repository: ContentRepository,
    { repository: source, signal }: Source,
    descriptor: Descriptor,
    platforms: PlatformFilter,
  ): Promise<PendingManifest> {
    const known = this.parts.pending.get(repository.name, descriptor.digest);
    if (known !== undefined) return known;
    if (!ofManifest(descriptor) || descriptor.size > maxManifestBytes) {
      throw new InvalidManifestError("it is nothing that registries exchange today");
    }
    const bytes = await buffer(await source.fetch(descriptor, signal));
    const manifest = parseManifest(bytes, descriptor.mediaType);
    const found = { descriptor, bytes, manifest, platforms, tags: new Map<Tag, Digest | undefined>() };
    this.parts.pending.put(repository.name, found);
    return found;
  }
}

function typesOf({ manifest: { artifactType, blobs } }: PendingManifest): readonly string[] {
  return [...(artifactType === undefined ? [] : [artifactType]), ...blobs.map(({ mediaType }) => mediaType)];
}
