import { seconds, type Clock } from "../../common/clock.ts";
import type { Digest } from "../../common/oci/digest.ts";
import type { Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { ContentRepository } from "../content/repository.ts";
import { TagNotFoundError } from "../content/store.ts";
import type { Freshness, Judgement } from "../http/elsewhere.ts";
import type { Confirmations } from "./confirmations.ts";
import type { DemandMetrics } from "./metrics.ts";

interface FreshnessParts {
  readonly confirmations: Confirmations;
  /** When the copy that is here was last known to be right, in milliseconds since 1970, as far as that survives a restart. */
  readonly since: (repository: string, tag: Tag) => Promise<number>;
  /** What the parent has under a tag that is here, if it is something else. Rejects if the parent does not answer. */
  readonly newer: (
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ) => Promise<StoredManifest | undefined>;
  /** The parent did not answer: somebody should find out whether it is there. */
  readonly look: () => void;
  readonly metrics: DemandMetrics;
  readonly clock: Clock;
}

/** A client waits so long for the parent; then it gets what is here (T51). */
const patience = seconds(1);
/** After a parent that was slow or refused, pulls are answered at once for so long. */
const restMs = 5_000;

type Comparison =
  | { readonly outcome: "confirmed" | "gone" | "stale" }
  | { readonly outcome: "newer"; readonly newer: StoredManifest };

/**
 * Compares tags that are here with the parent when they are pulled, as the rules say. The copy that is here is served
 * whenever the parent is away, slow, refuses or has no such tag any more: what is not answered in a second is not waited
 * for, and not asked again for five.
 */
export class TagFreshness implements Freshness {
  private readonly parts: FreshnessParts;
  private restUntil = -Infinity;

  constructor(parts: FreshnessParts) {
    this.parts = parts;
  }

  judge(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ): Promise<Judgement> | Judgement | undefined {
    const { confirmations, metrics } = this.parts;
    const rule = confirmations.rule(repository.name, tag);
    if (rule === undefined || rule.check === "Never") return undefined;
    const ageSeconds = confirmations.age(repository.name, tag);
    if (ageSeconds !== undefined && ageSeconds < (rule.maxAgeSeconds ?? 0)) {
      metrics.judged("fresh", ageSeconds);
      return { ageSeconds };
    }
    return this.ask(repository, tag, here, whole, rule.maxAgeSeconds ?? 0);
  }

  private async ask(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
    maxAgeSeconds: number,
  ): Promise<Judgement> {
    const { metrics } = this.parts;
    const ageSeconds = await this.ageOf(repository, tag);
    if (ageSeconds < maxAgeSeconds) {
      metrics.judged("fresh", ageSeconds);
      return { ageSeconds };
    }
    const compared = await this.compare(repository, tag, here, whole);
    const { outcome } = compared;
    metrics.judged(outcome, ageSeconds);
    if (outcome === "newer") return { ageSeconds: 0, newer: compared.newer };
    if (outcome === "confirmed") this.parts.confirmations.note(repository.name, tag);
    return { ageSeconds: outcome === "confirmed" ? 0 : ageSeconds };
  }

  private async ageOf({ name }: ContentRepository, tag: Tag): Promise<number> {
    const { clock, confirmations, since } = this.parts;
    const known = confirmations.age(name, tag);
    if (known !== undefined) return known;
    return Math.max(0, Math.floor((clock.millis() - (await since(name, tag))) / 1000));
  }

  private async compare(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ): Promise<Comparison> {
    const { clock } = this.parts;
    if (clock.steady() < this.restUntil) return { outcome: "stale" };
    const over = new AbortController();
    const late = clock.sleep(patience, over.signal).then(
      () => this.unanswered(),
      (): Comparison => ({ outcome: "stale" }),
    );
    const compared = await Promise.race([this.answer(repository, tag, here, whole), late]);
    over.abort(new Error("answered"));
    return compared;
  }

  private async answer(
    repository: ContentRepository,
    tag: Tag,
    here: Digest,
    whole: boolean,
  ): Promise<Comparison> {
    try {
      const newer = await this.parts.newer(repository, tag, here, whole);
      return newer === undefined ? { outcome: "confirmed" } : { outcome: "newer", newer };
    } catch (error) {
      return error instanceof TagNotFoundError ? { outcome: "gone" } : this.unanswered();
    }
  }

  private unanswered(): Comparison {
    const { clock, look } = this.parts;
    this.restUntil = clock.steady() + restMs;
    look();
    return { outcome: "stale" };
  }
}
