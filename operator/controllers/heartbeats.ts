import { DateTime, Duration } from "luxon";
import { leaseDurationSeconds } from "../../common/contract/status.ts";
import type { Lease } from "../api/kubernetes.ts";
import { keyOf, keyText, type NamespacedName } from "../runtime/kube.ts";

interface Beat {
  readonly renewTime: string;
  readonly seenAt: DateTime<true>;
}

/**
 * Whether registries are alive, by their Leases. The time that a renewal states counts only if it can be true, seen from
 * here: the clock of a node may be off (T58). Otherwise what counts is when we saw it.
 */
export class Heartbeats {
  private readonly beats = new Map<string, Beat>();
  private readonly awaitedSince = new Map<string, DateTime<true>>();

  /** When `lease` runs out, or ran out; `undefined` if it never was held. */
  expiryOf(lease: Lease, now: DateTime<true>): DateTime<true> | undefined {
    const { renewTime, holderIdentity, leaseDurationSeconds: seconds } = lease.spec ?? {};
    if (renewTime === undefined || holderIdentity === undefined || holderIdentity === "") return undefined;
    const key = keyText(keyOf(lease));
    const known = this.beats.get(key);
    const beat =
      known?.renewTime === renewTime ? known : { renewTime, seenAt: seenAt(known, renewTime, now) };
    this.beats.set(key, beat);
    return beat.seenAt.plus(Duration.fromObject({ seconds: seconds ?? leaseDurationSeconds }));
  }

  /** Whether a registry that runs and is not heard has had the time to be heard: one that just started has not. */
  isOverdue(key: NamespacedName, now: DateTime<true>): boolean {
    const since = this.awaitedSince.get(keyText(key)) ?? now;
    this.awaitedSince.set(keyText(key), since);
    return now >= since.plus(Duration.fromObject({ seconds: leaseDurationSeconds }));
  }

  /** It is heard, or nothing is expected of it. */
  expectNothing(key: NamespacedName): void {
    this.awaitedSince.delete(keyText(key));
  }

  forget(key: NamespacedName): void {
    this.expectNothing(key);
    this.beats.delete(keyText(key));
  }
}

function seenAt(known: Beat | undefined, renewTime: string, now: DateTime<true>): DateTime<true> {
  const said = DateTime.fromISO(renewTime, { zone: "utc" });
  const possible = said.isValid && said <= now && (known === undefined || said >= known.seenAt);
  return possible ? said : now;
}
