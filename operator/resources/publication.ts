import { Duration, type DateTime } from "luxon";
import type { Certificate } from "./certificates.ts";
import { certificatesIn, isFor, isGood, keyFits } from "./certificate-facts.ts";
import { isTrusted } from "./chain.ts";

/** A certificate to serve, and the authorities by which clients trust it, in PEM; empty if every system knows them. */
export interface Offer {
  readonly server: Certificate;
  readonly authorities: string;
}

/** What is served, and what clients are told. */
export interface Publication extends Offer {
  /** Since when it is so, but for what was taken away. */
  readonly since: DateTime<true>;
}

/** Nodes hear of a new authority in seconds. What it signed is served only then. */
const announcement = Duration.fromObject({ minutes: 1 });
/** For how long clients are told of an authority of which nothing is served: a pod gets a new certificate in minutes. */
const farewell = Duration.fromObject({ hours: 24 });

/**
 * How `offer` takes the place of `present`, without a moment at which nodes distrust what they meet: its authorities are
 * told first, then its certificate is served, and in the end the old authorities are forgotten. Nobody waits for it who
 * trusts both certificates already, or finds the present one no good any more, or not for `host`.
 */
export function published(
  present: Publication | undefined,
  offer: Offer,
  host: string,
  now: DateTime<true>,
): { readonly publication: Publication; readonly change: DateTime<true> | undefined } {
  if (present === undefined) return { publication: { ...offer, since: now }, change: undefined };
  const told = certificatesIn(present.authorities);
  const offered = certificatesIn(offer.authorities);
  const old = told.filter((one) => !offered.includes(one) && isGood(one, now));
  const all = [...offered, ...old].join("");
  const grown = offered.some((one) => !told.includes(one));
  const since = grown || present.since > now ? now : present.since;
  const taken = {
    publication: { server: offer.server, authorities: all, since: now },
    change: old.length === 0 ? undefined : now.plus(farewell),
  };

  const served = present.server.certificate;
  if (!isGood(served, now) || !keyFits(present.server) || !isFor(served, host)) return taken;
  if (certificatesIn(served)[0] === certificatesIn(offer.server.certificate)[0]) {
    const over = since.plus(farewell) <= now;
    const publication = { server: offer.server, authorities: over ? offer.authorities : all, since };
    return { publication, change: over || old.length === 0 ? undefined : since.plus(farewell) };
  }
  const next = offer.server.certificate;
  const both = told.filter((one) => isTrusted(served, one, now) && isTrusted(next, one, now));
  const heard = isTrusted(next, present.authorities, now) && since.plus(announcement) <= now;
  if (offer.authorities === "" || both.length > 0 || heard) return taken;
  const publication = { server: present.server, authorities: all, since };
  return { publication, change: since.plus(announcement) };
}
