import type { Logger } from "../../../common/log.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import { UnsentTagError, type Repositories, type SyncSource, type SyncTarget } from "../../content/store.ts";
import { copyGraph } from "./copy.ts";
import { sentenceOf } from "../faults.ts";
import { Flights, type Limit } from "./flights.ts";
import type { ManifestShelf } from "../planning/manifest-shelf.ts";
import type { PassWatch } from "../telling/progress.ts";
import type { ReferrerChecks } from "../referrers/referrer-checks.ts";
import { copyReferrers } from "../referrers/referrers.ts";
import type { Retries } from "./retries.ts";
import type { PlanFailure, PlannedTag } from "../planning/sync-plan.ts";
import type { TagConfirmations } from "../planning/tag-confirmations.ts";

interface SettlingParts {
  readonly source: Repositories<SyncSource>;
  readonly target: Repositories<SyncTarget>;
  readonly retries: Retries;
  readonly referrerChecks: ReferrerChecks;
  readonly confirmations: TagConfirmations;
  readonly limit: Limit;
  readonly shelf: ManifestShelf;
  readonly watch: PassWatch;
  readonly failed: (failure: PlanFailure) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

type Outcome = "upToDate" | "copied" | "failed" | "postponed";

/** Brings the tags of one pass here, each with its image and what refers to that. */
export class Settling {
  private readonly parts: SettlingParts;
  private readonly flights = new Map<RepositoryName, Flights>();

  constructor(parts: SettlingParts) {
    this.parts = parts;
  }

  /** Why, and until when, it is not worth trying; `undefined` if it is. */
  resting({ repository, tag, root }: PlannedTag): ReturnType<Retries["restingFor"]> {
    return this.parts.retries.restingFor(`${repository}:${tag}`, root.digest);
  }

  /** Never rejects: what happens to one tag is data for the others. */
  async settle(planned: PlannedTag): Promise<Outcome> {
    const { repository, tag, root } = planned;
    const { retries, failed, log, signal } = this.parts;
    const rest = this.resting(planned);
    if (rest !== undefined) {
      failed({ repository, tag, error: rest.error, retryTime: rest.until });
      return "failed";
    }
    try {
      signal.throwIfAborted();
      const outcome = await this.bring(planned);
      retries.succeeded(`${repository}:${tag}`);
      if (outcome === "copied") log.info("copied", { repository, tag, digest: root.digest });
      return outcome;
    } catch (error) {
      if (signal.aborted || error instanceof UnsentTagError) return "postponed";
      log.warn("a tag failed to sync, and is tried again later", {
        repository,
        tag,
        error: sentenceOf(error),
      });
      const retryTime = retries.failed(`${repository}:${tag}`, root.digest, error);
      failed({ repository, tag, error, retryTime });
      return "failed";
    }
  }

  /** @throws whatever is missing: of the image, and then the tag is what it was (T20), or only of what refers to it */
  private async bring(planned: PlannedTag): Promise<"copied" | "upToDate"> {
    const { repository, tag, root, platforms, here, referrers: filter, attached } = planned;
    const { limit, shelf, watch, signal } = this.parts;
    const source = this.parts.source.open(repository);
    const target = this.parts.target.open(repository);
    const flights = this.flights.get(repository) ?? new Flights();
    this.flights.set(repository, flights);
    const copy = { limit, platforms, flights, shelf, watch, signal };
    const manifests = here ?? (await copyGraph(source, target, root, copy));
    // Before the tag, so that whoever sees the new image sees its signature; a failure must not keep the image back.
    let failure: { readonly error: unknown } | undefined;
    if (filter !== undefined) {
      const key = `referrers ${root.digest} ${platforms.key} ${filter.key}`;
      await flights
        .once(key, () => copyReferrers(source, target, manifests, { ...copy, filter, attached }))
        .then(
          () => {
            this.parts.referrerChecks.done(planned);
          },
          (error: unknown) => {
            failure = { error };
          },
        );
    }
    signal.throwIfAborted();
    if (here === undefined) {
      await target.tag(root, tag, signal);
      this.parts.confirmations.note(repository, tag);
    }
    if (failure !== undefined) throw failure.error;
    return here === undefined ? "copied" : "upToDate";
  }
}
