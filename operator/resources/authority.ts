import { Duration, type DateTime } from "luxon";
import { certificatesIn, isGood, keyFits, lifeOf, renewalOf } from "./certificate-facts.ts";
import { lifetimes, type Certificate } from "./certificates.ts";

/**
 * The certificate authority of a registry, on its way through the years. A new one is told of long before it signs, and
 * the old one is told of for as long as something that it signed may be about: whoever hears of changes at all trusts
 * the registry at every moment. Whoever does not (a node that was off, a list that somebody keeps by hand) takes what
 * the new one signs by `cross`, until the old one ends.
 */
export interface Authority {
  /** Signs. Without its key it is lost, and cannot. */
  readonly current: Omit<Certificate, "key"> & Partial<Pick<Certificate, "key">>;
  /** Will sign. */
  readonly next?: Certificate & {
    /** Since when it is known to be published. */
    readonly announced?: DateTime<true>;
  };
  /** Signed before. */
  readonly previous?: Omit<Certificate, "key"> & {
    /** Until when something that it signed may be about. */
    readonly until: DateTime<true>;
  };
  /** `current`, signed by `previous`, in PEM. */
  readonly cross?: string;
}

/** For how long a new authority is told of before it signs. Nodes hear of it in seconds, if they hear at all. */
const announcement = Duration.fromObject({ hours: 24 });

interface Circumstances {
  readonly now: DateTime<true>;
  /** The certificates that clients are told of, in PEM, as they were found. */
  readonly published: string;
  /** Whether there is something to sign that cannot wait. */
  readonly mustSign: boolean;
}

interface Issuer {
  authority(): Promise<Certificate>;
  cross(authority: string, signer: Certificate): Promise<string | undefined>;
}

/**
 * What becomes of the authority `known` at `now`. It takes one step at a time, each of which is to be written before
 * what is signed by it: after a crash between any two, the next call goes on from there.
 */
export async function advance(
  known: Authority | undefined,
  { now, published, mustSign }: Circumstances,
  issuer: Issuer,
): Promise<Authority> {
  const authority = known === undefined ? undefined : withoutTheEnded(known, now);
  if (authority === undefined || !isGood(authority.current.certificate, now)) {
    // Whoever trusts the old one is lost already; the next, if it was told of, is trusted.
    const current = authority?.next ?? (await issuer.authority());
    return { current: { certificate: current.certificate, key: current.key } };
  }
  const { current, next } = authority;
  if (next === undefined) {
    const lost = current.key === undefined;
    if (!lost && now < (renewalOf(current.certificate) ?? now)) return authority;
    const made = { ...authority, next: await issuer.authority() };
    return lost && mustSign ? await switched(current, made.next, now, issuer) : made;
  }
  if (current.key === undefined && mustSign) return switched(current, next, now, issuer);
  const { announced } = next;
  if (announced === undefined) {
    const told = certificatesIn(published).includes(certificatesIn(next.certificate)[0] ?? "");
    return told ? { ...authority, next: { ...next, announced: now } } : authority;
  }
  return now >= announced.plus(announcement) ? switched(current, next, now, issuer) : authority;
}

/** Every authority to tell clients of, the one that signs first, in PEM. */
export function bundleOf({ current, next, previous }: Authority): string {
  const all = [current, next, previous].map((one) => one?.certificate ?? "");
  return all.join("");
}

/** When `advance` has something to do, if nothing else happens; the past, if at once. */
export function nextChange(authority: Authority, now: DateTime<true>): DateTime<true> {
  const { current, next, previous, cross } = authority;
  const times = [
    next === undefined ? renewalOf(current.certificate) : (next.announced?.plus(announcement) ?? now),
    previous?.until,
    cross === undefined ? undefined : lifeOf(cross)?.end,
  ];
  return times.reduce((a: DateTime<true>, b) => (b !== undefined && b < a ? b : a), now.plus(lifetimes.ca));
}

/** When `next` takes over, if that is settled. */
export function takeover({ next }: Authority): DateTime<true> | undefined {
  return next?.announced?.plus(announcement);
}

async function switched(
  { certificate, key }: Authority["current"],
  next: Certificate,
  now: DateTime<true>,
  issuer: Issuer,
): Promise<Authority> {
  const cross = key === undefined ? undefined : await issuer.cross(next.certificate, { certificate, key });
  return {
    current: { certificate: next.certificate, key: next.key },
    previous: { certificate, until: now.plus(lifetimes.server) },
    ...(cross === undefined ? {} : { cross }),
  };
}

/** What has ended, or cannot be used, is forgotten, and so is what was not yet when the clock was set back. */
function withoutTheEnded({ current, next, previous, cross }: Authority, now: DateTime<true>): Authority {
  const usable = next !== undefined && isGood(next.certificate, now) && keyFits(next);
  const told = next?.announced !== undefined && next.announced <= now;
  return {
    current,
    ...(usable ? { next: told ? next : { certificate: next.certificate, key: next.key } } : {}),
    ...(previous !== undefined && now < previous.until && isGood(previous.certificate, now)
      ? { previous }
      : {}),
    ...(cross !== undefined && isGood(cross, now) ? { cross } : {}),
  };
}
