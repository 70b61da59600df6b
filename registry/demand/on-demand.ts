import { once } from "node:events";
import type { SyncSettings } from "../../common/contract/config.ts";
import type { Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import type { Service } from "../../common/service.ts";
import { isDigest, type Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { RegistryContent } from "../content/content.ts";
import type { Referrer, StoredManifest } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";
import type { ArrivingBlob, Elsewhere, Freshness } from "../http/elsewhere.ts";
import { everyPlatform } from "../sync/planning/platform.ts";
import type { PresentParent } from "../sync/parent.ts";
import { Absences } from "./absences.ts";
import { DemandedBlobs } from "./blobs.ts";
import { Completion } from "./completion.ts";
import type { Confirmations } from "./confirmations.ts";
import { Desk } from "./desk.ts";
import { TagFreshness } from "./freshness.ts";
import { DemandedManifests, type FoundManifest } from "./manifests.ts";
import type { DemandMetrics } from "./metrics.ts";
import { PendingManifests } from "./pending.ts";
import { Permits } from "./permits.ts";
import { platformsOf, platformsOfRepository } from "./policy.ts";
import { DemandedReferrers } from "./referrers.ts";

export interface DemandParts {
  readonly content: RegistryContent;
  /** As they are now; absent: nothing is synced, and nothing fetched. */
  readonly sync: () => SyncSettings | undefined;
  /** The parent, while there is one that may be asked. */
  readonly parent: () => PresentParent | undefined;
  readonly confirmations: Confirmations;
  /** When a tag was last known to be right, in milliseconds since 1970, as far as that survives a restart. */
  readonly since: (repository: string, tag: Tag) => Promise<number>;
  readonly metrics: DemandMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What clients ask for and is not here, fetched from the parent as far as the settings allow. */
export class OnDemand implements Elsewhere, Service {
  readonly name = "on demand";
  private readonly parts: DemandParts;
  private readonly desk: Desk;
  private readonly pending: PendingManifests;
  private readonly absences: Absences;
  private readonly blobs: DemandedBlobs;
  private readonly manifests: DemandedManifests;
  private readonly completion: Completion;
  private readonly permits: Permits;
  private readonly demandedReferrers: DemandedReferrers;
  private readonly tagFreshness: TagFreshness;

  constructor(parts: DemandParts) {
    const { content, parent, sync, confirmations, since, metrics, clock, log } = parts;
    this.parts = parts;
    this.desk = new Desk(parent, clock, log);
    const pending = new PendingManifests(clock);
    this.pending = pending;
    this.absences = new Absences(clock);
    const { desk } = this;
    this.blobs = new DemandedBlobs({ content, desk, concurrency: () => sync()?.concurrency ?? 1, metrics });
    const tagged = (repository: ContentRepository, tag: string): void => {
      confirmations.note(repository.name, tag);
    };
    this.completion = new Completion({ pending, blobs: this.blobs, tagged, metrics, log });
    const unsent = (name: RepositoryName, reference: Tag | Digest, digest: Digest): boolean =>
      content.outbox.table.holds(name, reference, digest);
    this.manifests = new DemandedManifests({ desk, pending, unsent, completion: this.completion });
    this.permits = new Permits({ desk, pending, sync });
    this.demandedReferrers = new DemandedReferrers({ desk, pending, sync, manifests: this.manifests });
    this.tagFreshness = new TagFreshness({
      confirmations,
      since,
      newer: (...wanted) => this.newer(...wanted),
      look: () => {
        desk.look();
      },
      metrics,
      clock,
    });
  }

  /** Always: what is here is served. */
  ready(): boolean {
    return true;
  }

  /** Until the stop; then ends what is under way, of which what came stays. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await once(signal, "abort");
    this.desk.close();
    // Whoever is asked may have somebody else begin something, and fails at that.
    for (const part of [this.manifests, this.completion, this.blobs]) await part.idle();
  }

  /** What may be fetched has changed, or from where: what was found by other rules counts no more. */
  forget(): void {
    this.pending.clear();
    this.absences.clear();
  }

  get freshness(): Freshness | undefined {
    return this.parts.confirmations.active ? this.tagFreshness : undefined;
  }

  async manifest(
    repository: ContentRepository,
    reference: Tag | Digest,
    whole: boolean,
  ): Promise<StoredManifest | undefined> {
    return await this.counted("manifest", { repository: repository.name, reference }, async () => {
      const found = await this.find(repository, reference);
      if (found !== undefined) this.given(repository, found, whole);
      return found;
    });
  }

  async referrers(repository: ContentRepository, subject: Digest): Promise<readonly Referrer[]> {
    return await this.demandedReferrers.of(repository, subject);
  }

  async blob(repository: ContentRepository, digest: Digest): Promise<ArrivingBlob | "here" | undefined> {
    return await this.counted("blob", { repository: repository.name, digest }, async () => {
      const blob = await this.permits.blob(repository, digest);
      return blob === undefined ? undefined : await this.blobs.arriving(repository, blob);
    });
  }

  /** What the parent has under a tag that is here, if it is something else. @throws */
  private async newer(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ): Promise<StoredManifest | undefined> {
    const platforms = platformsOfRepository(this.parts.sync(), repository.name) ?? everyPlatform;
    const found = await this.manifests.newer(repository, tag, here, platforms);
    if (found !== undefined) this.given(repository, found, whole);
    return found;
  }

  private async find(
    repository: ContentRepository,
    reference: Tag | Digest,
  ): Promise<FoundManifest | undefined> {
    const { desk, manifests, pending } = this;
    if (isDigest(reference)) {
      const known = pending.get(repository.name, reference);
      if (known !== undefined) return known;
      const permitted = await this.permits.manifest(repository, reference);
      if (permitted === undefined) return undefined;
      return await desk.answered(manifests.digested(repository, permitted.wanted, permitted.platforms));
    }
    const platforms =
      (await platformsOf(this.parts.sync(), repository.name, reference)) ??
      this.permits.attached(repository, reference);
    if (platforms === undefined) return undefined;
    const known = pending.tagged(repository.name, reference);
    if (known !== undefined) return known;
    return await desk.answered(manifests.tagged(repository, reference, platforms));
  }

  /** A client was given a manifest. Who only wanted to know of it may have it already, and wants nothing fetched. */
  private given(repository: ContentRepository, found: FoundManifest, whole: boolean): void {
    if (whole && found.manifest !== undefined) this.completion.begin(repository, found);
  }

  private async counted<T>(
    kind: "manifest" | "blob",
    what: Readonly<Record<string, string>>,
    work: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const { metrics } = this.parts;
    const key = `${kind} ${Object.values(what).join(" ")}`;
    if (this.absences.has(key)) {
      metrics.asked(kind, "absent");
      return undefined;
    }
    try {
      const found = await work();
      metrics.asked(kind, found === undefined ? "absent" : "found");
      return found;
    } catch (error) {
      const refusal = this.desk.refusal(error, what);
      metrics.asked(kind, refusal === undefined ? "absent" : "failed");
      if (refusal !== undefined) throw refusal;
      this.absences.note(key);
      return undefined;
    }
  }
}
