import { Readable } from "node:stream";
import type { Clock } from "../../common/clock.ts";
import {
  algorithmOf,
  DigestMismatchError,
  verify,
  type Descriptor,
  type Digest,
} from "../../common/oci/digest.ts";
import { maxManifestBytes } from "../../common/oci/manifest.ts";
import { ofManifest } from "../../common/oci/mediatype.ts";
import { parseTag, type RepositoryName, type Tag } from "../../common/oci/reference.ts";
import {
  ContentNotFoundError,
  TagNotFoundError,
  type Describer,
  type ListedReferrer,
  type RangeReader,
  type SyncSource,
} from "../content/store.ts";
import { openBlob } from "./blob.ts";
import type { ParentClient, ParentRequest } from "./client.ts";
import { acceptManifests, described, digested, sized } from "./manifests.ts";
import { NotFoundError, RepositoryNotFoundError } from "./errors.ts";
import { readNames } from "./names.ts";
import { RemoteReferrers } from "./referrers.ts";

/** One repository of a parent registry. */
export class RemoteRepository implements SyncSource, RangeReader, Describer {
  readonly name: RepositoryName;
  private readonly client: ParentClient;
  private readonly referrerLists: RemoteReferrers;

  constructor(client: ParentClient, name: RepositoryName, clock: Clock) {
    this.client = client;
    this.name = name;
    this.referrerLists = new RemoteReferrers(client, name, clock);
  }

  async exists(target: Descriptor, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.client.read(this.request("HEAD", this.pathOf(target), signal), 0);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  async fetch(target: Descriptor, signal?: AbortSignal): Promise<Readable> {
    const request = this.request("GET", this.pathOf(target), signal);
    if (!ofManifest(target))
      return await openBlob(this.client, request, target, { offset: 0, verified: true });
    try {
      const { body } = await this.client.read(request, maxManifestBytes);
      return Readable.from([body]).compose(verify(target)) as Readable;
    } catch (error) {
      throw error instanceof NotFoundError ? new ContentNotFoundError(target.digest) : error;
    }
  }

  fetchFrom(target: Descriptor, offset: number, signal?: AbortSignal): Promise<Readable> {
    const request = this.request("GET", this.pathOf(target), signal);
    return openBlob(this.client, request, target, { offset, verified: false });
  }

  /** One HEAD, or a GET where the parent's HEAD does not say enough. */
  async resolve(tag: Tag, signal?: AbortSignal): Promise<Descriptor> {
    const path = `/v2/${this.name}/manifests/${tag}`;
    try {
      const head = await this.client.read(this.request("HEAD", path, signal), 0);
      return (
        described(head) ??
        digested(await this.client.read(this.request("GET", path, signal), maxManifestBytes))
      );
    } catch (error) {
      throw error instanceof NotFoundError ? new TagNotFoundError(tag) : error;
    }
  }

  /** One HEAD, or of a manifest a GET where the parent's HEAD does not say enough. */
  async describe(digest: Digest, kind: "manifest" | "blob", signal?: AbortSignal): Promise<Descriptor> {
    const path = `/v2/${this.name}/${kind}s/${digest}`;
    try {
      const head = await this.client.read(this.request("HEAD", path, signal), 0);
      if (kind === "blob") return sized(head, digest);
      const found =
        described(head) ??
        digested(
          await this.client.read(this.request("GET", path, signal), maxManifestBytes),
          algorithmOf(digest),
        );
      if (found.digest !== digest) throw new DigestMismatchError(digest, found.digest);
      return found;
    } catch (error) {
      throw error instanceof NotFoundError ? new ContentNotFoundError(digest) : error;
    }
  }

  /** @throws {RepositoryNotFoundError} */
  async *tags(signal?: AbortSignal): AsyncGenerator<Tag> {
    const request = this.request("GET", `/v2/${this.name}/tags/list?n=1000`, signal);
    try {
      yield* await readNames(this.client, request, "tags", tagOrNothing);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      throw new RepositoryNotFoundError(`The parent has no repository ${this.name}.`);
    }
  }

  referrers(subject: Digest, signal?: AbortSignal): AsyncGenerator<ListedReferrer> {
    return this.referrerLists.list(subject, signal);
  }

  private pathOf(target: Descriptor): string {
    return `/v2/${this.name}/${ofManifest(target) ? "manifests" : "blobs"}/${target.digest}`;
  }

  private request(method: "GET" | "HEAD", path: string, signal: AbortSignal | undefined): ParentRequest {
    const headers = path.includes("/manifests/") ? { accept: acceptManifests } : {};
    return { method, path, scope: `repository:${this.name}:pull`, headers, signal };
  }
}

/** Names that break the specification's grammar could not be asked for. */
function tagOrNothing(text: string): Tag | undefined {
  try {
    return parseTag(text);
  } catch {
    return undefined;
  }
}
