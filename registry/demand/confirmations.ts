import type { Clock } from "../../common/clock.ts";
import type { FreshnessRule } from "../../common/contract/demand-settings.ts";
import { matchesGlob } from "../../common/glob.ts";
import type { TagConfirmations } from "../sync/planning/tag-confirmations.ts";

/** For how many tags it is kept which rule is about them, and when they were confirmed: some 10 MiB at most. */
const maxKept = 50_000;

/** Which rule of freshness is about a tag, and when the parent last confirmed that it has the same under the tag as we. */
export class Confirmations implements TagConfirmations {
  private readonly clock: Clock;
  private rules: readonly FreshnessRule[] = [];
  private readonly found = new Map<string, FreshnessRule | undefined>();
  /** On the steady clock: a clock that is set makes nothing fresh or stale. */
  private readonly confirmed = new Map<string, number>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** In effect at once. */
  configure(rules: readonly FreshnessRule[]): void {
    if (rules === this.rules) return;
    this.rules = rules;
    this.found.clear();
  }

  /** Whether there are rules at all. */
  get active(): boolean {
    return this.rules.length > 0;
  }

  rule(repository: string, tag: string): FreshnessRule | undefined {
    if (!this.active) return undefined;
    const key = keyOf(repository, tag);
    const known = this.found.get(key);
    if (known !== undefined || this.found.has(key)) return known;
    const rule = this.rules.find(
      ({ repositories, tags }) =>
        repositories.some((glob) => matchesGlob(glob, repository)) &&
        tags.some((glob) => matchesGlob(glob, tag)),
    );
    keep(this.found, key, rule);
    return rule;
  }

  immutable(repository: string, tag: string): boolean {
    return this.rule(repository, tag)?.check === "Never";
  }

  note(repository: string, tag: string): void {
    const rule = this.rule(repository, tag);
    if (rule === undefined || rule.check === "Never") return;
    keep(this.confirmed, keyOf(repository, tag), this.clock.steady());
  }

  /** For how many seconds nobody has confirmed it; `undefined` if nobody did since the start. */
  age(repository: string, tag: string): number | undefined {
    const at = this.confirmed.get(keyOf(repository, tag));
    return at === undefined ? undefined : Math.floor((this.clock.steady() - at) / 1000);
  }
}

function keep<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.delete(key);
  kept.set(key, value);
  if (kept.size <= maxKept) return;
  const [oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}

/** Neither repositories nor tags have a space. */
function keyOf(repository: string, tag: string): string {
  return `${repository} ${tag}`;
}
