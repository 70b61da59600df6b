import { seconds, type Clock } from "../../common/clock.ts";
import { attachedPrefix } from "../../common/oci/attached-tag.ts";
import type { Digest } from "../../common/oci/digest.ts";
import { maxManifestBytes, parseManifest } from "../../common/oci/manifest.ts";
import { messageOf } from "../../common/errors.ts";
import { asManifest, mediaTypes } from "../../common/oci/mediatype.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { ListedReferrer } from "../content/store.ts";
import type { ParentAnswer, ParentClient, ParentRequest } from "./client.ts";
import { NotFoundError, ProtocolError } from "./errors.ts";
import { readPages } from "./paging.ts";

/** A signature set without end must not fill the volume (S04). */
const maxReferrers = 1000;
/** Lists that are longer are rare, and are read again. */
const maxKept = 50;
/** How many lists of a repository are kept. */
const maxLists = 1000;
/** For so long we believe that a parent without the referrers API has none. */
const absence = seconds(3600);

interface KeptList {
  readonly referrers: readonly ListedReferrer[];
  /** By which the parent says that it is still the same. */
  readonly entityTag: string | undefined;
}

/**
 * The referrers of one repository at a parent: by the referrers API, or where there is none by the referrers tag (OCI
 * distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema").
 */
export class RemoteReferrers {
  private readonly client: ParentClient;
  private readonly name: RepositoryName;
  private readonly clock: Clock;
  /** By the clock that nobody sets. */
  private absentUntil = -Infinity;
  /** The lists that may be asked for again, those that were read last at the end. */
  private readonly kept = new Map<Digest, KeptList>();

  constructor(client: ParentClient, name: RepositoryName, clock: Clock) {
    this.client = client;
    this.name = name;
    this.clock = clock;
  }

  /** All of them, or an error. Costs no more than a question where the list is what it was. */
  async *list(subject: Digest, signal?: AbortSignal): AsyncGenerator<ListedReferrer> {
    const kept = this.kept.get(subject);
    this.kept.delete(subject);
    const list = await this.read(subject, kept, signal);
    if (list.entityTag !== undefined && list.referrers.length <= maxKept) this.kept.set(subject, list);
    for (const [oldest] of this.kept) {
      if (this.kept.size <= maxLists) break;
      this.kept.delete(oldest);
    }
    yield* list.referrers;
  }

  private async read(subject: Digest, kept: KeptList | undefined, signal?: AbortSignal): Promise<KeptList> {
    const referrers: ListedReferrer[] = [];
    const entityTags: (string | undefined)[] = [];
    try {
      for await (const page of this.pages(subject, kept?.entityTag, signal)) {
        entityTags.push(page.headers.etag);
        for (const referrer of listed(page, this.client.origin.host)) {
          if (referrers.push(asManifest(referrer)) <= maxReferrers) continue;
          throw new ProtocolError(`The parent lists more than ${maxReferrers} referrers of ${subject}.`);
        }
      }
    } catch (error) {
      if (kept !== undefined && error instanceof ProtocolError && error.status === 304) return kept;
      throw error;
    }
    // Of a list of several pages none tells whether the others are what they were.
    return { referrers, entityTag: entityTags.length === 1 ? entityTags[0] : undefined };
  }

  private async *pages(
    subject: Digest,
    entityTag: string | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<ParentAnswer> {
    if (this.absentUntil < this.clock.steady()) {
      try {
        yield* readPages(this.client, this.request(`referrers/${subject}`, entityTag, signal));
        return;
      } catch (error) {
        if (!isAbsent(error)) throw error;
        this.absentUntil = this.clock.steady() + absence.toMillis();
      }
    }
    try {
      const request = this.request(`manifests/${attachedPrefix(subject)}`, entityTag, signal);
      yield await this.client.read(request, maxManifestBytes);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  private request(
    path: string,
    entityTag: string | undefined,
    signal: AbortSignal | undefined,
  ): ParentRequest {
    return {
      method: "GET",
      path: `/v2/${this.name}/${path}`,
      scope: `repository:${this.name}:pull`,
      headers: {
        accept: mediaTypes.ociIndex,
        ...(entityTag === undefined ? {} : { "if-none-match": entityTag }),
      },
      signal,
    };
  }
}

/** Registries of before 1.1 know no such route, and say so in different ways. */
function isAbsent(error: unknown): boolean {
  if (error instanceof NotFoundError) return true;
  return error instanceof ProtocolError && (error.status === 400 || error.status === 405);
}

function listed({ body }: ParentAnswer, host: string): readonly ListedReferrer[] {
  try {
    return parseManifest(body, mediaTypes.ociIndex).manifests;
  } catch (cause) {
    throw new ProtocolError(`${host} lists referrers in a form that we cannot read: ${messageOf(cause)}.`);
  }
}
