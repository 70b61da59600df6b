import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import { algorithmOf, hexOf, type Digest } from "../../common/oci/digest.ts";
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
/** For so long we believe that a parent without the referrers API has none. */
const absence = seconds(3600);

/**
 * The referrers of one repository at a parent: by the referrers API, or where there is none by the referrers tag (OCI
 * distribution specification 1.1, "Listing Referrers" and "Referrers Tag Schema").
 */
export class RemoteReferrers {
  private readonly client: ParentClient;
  private readonly name: RepositoryName;
  private readonly clock: Clock;
  private absentUntil: DateTime | undefined;

  constructor(client: ParentClient, name: RepositoryName, clock: Clock) {
    this.client = client;
    this.name = name;
    this.clock = clock;
  }

  async *list(subject: Digest, signal?: AbortSignal): AsyncGenerator<ListedReferrer> {
    let count = 0;
    for await (const page of this.pages(subject, signal)) {
      for (const referrer of read(page, this.client.origin.host)) {
        if (++count > maxReferrers) {
          throw new ProtocolError(`The parent lists more than ${maxReferrers} referrers of ${subject}.`);
        }
        yield asManifest(referrer);
      }
    }
  }

  private async *pages(subject: Digest, signal?: AbortSignal): AsyncGenerator<ParentAnswer> {
    if (this.absentUntil === undefined || this.absentUntil < this.clock.now()) {
      try {
        yield* readPages(this.client, this.request(`referrers/${subject}`, signal));
        return;
      } catch (error) {
        if (!isAbsent(error)) throw error;
        this.absentUntil = this.clock.now().plus(absence);
      }
    }
    try {
      const tag = `${algorithmOf(subject)}-${hexOf(subject)}`;
      yield await this.client.read(this.request(`manifests/${tag}`, signal), maxManifestBytes);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  private request(path: string, signal: AbortSignal | undefined): ParentRequest {
    return {
      method: "GET",
      path: `/v2/${this.name}/${path}`,
      scope: `repository:${this.name}:pull`,
      headers: { accept: mediaTypes.ociIndex },
      signal,
    };
  }
}

/** Registries of before 1.1 know no such route, and say so in different ways. */
function isAbsent(error: unknown): boolean {
  if (error instanceof NotFoundError) return true;
  return error instanceof ProtocolError && (error.status === 400 || error.status === 405);
}

function read({ body }: ParentAnswer, host: string): readonly ListedReferrer[] {
  try {
    return parseManifest(body, mediaTypes.ociIndex).manifests;
  } catch (cause) {
    throw new ProtocolError(`${host} lists referrers in a form that we cannot read: ${messageOf(cause)}.`);
  }
}
