import { randomBytes } from "node:crypto";
import { Duration } from "luxon";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { certificatesIn } from "./certificate-facts.ts";
import { issueCa, issueServer, type Certificate } from "./certificates.ts";
import { isTrusted } from "./chain.ts";
import { published, type Offer, type Publication } from "./publication.ts";

const now = new ManualClock("2026-11-21T08:00:00Z").now();
const host = "edge.contoso.example";
const minutes = (n: number): Duration => Duration.fromObject({ minutes: n });
const [first, second] = [await issueCa("first", now, randomBytes), await issueCa("second", now, randomBytes)];

async function offerOf(ca: Certificate, names = [host], authorities = ca.certificate): Promise<Offer> {
  return { server: await issueServer(names, ca, now, randomBytes), authorities };
}

const old = await offerOf(first);
const next = await offerOf(second);
const another = await offerOf(first);
const elsewhere = await offerOf(first, ["other.example"]);
const later = await offerOf(second);
const since = now.minus({ days: 30 });

describe("a certificate of another authority", () => {
  it("is served once its authority was told of for a minute, and the old one goes a day later", () => {
    const start: Publication = { ...old, since };
    const told = published(start, next, host, now);
    expect(told.publication.server).toBe(old.server);
    expect(certificatesIn(told.publication.authorities)).toEqual([second.certificate, first.certificate]);
    expect(told.change).toEqual(now.plus(minutes(1)));
    // Looking again in between changes nothing, and begins nothing anew.
    const soon = published(told.publication, next, host, now.plus({ seconds: 59 }));
    expect(soon).toEqual(told);

    const served = published(told.publication, next, host, now.plus(minutes(1)));
    expect(served.publication.server).toBe(next.server);
    expect(certificatesIn(served.publication.authorities)).toHaveLength(2);
    const end = now.plus({ days: 1, minutes: 1 });
    expect(served.change).toEqual(end);
    const over = published(served.publication, next, host, end);
    expect(over.publication).toMatchObject({ ...next, since: served.publication.since });
    expect(over.change).toBeUndefined();
    expect(published(over.publication, next, host, end).publication).toEqual(over.publication);
  });

  it("is trusted by whoever heard of the authorities lately, whenever the operator looks", () => {
    const history: Publication[] = [{ ...old, since }];
    for (let at = now; at < now.plus({ days: 3 }); at = at.plus({ seconds: 20 * history.length })) {
      const { publication } = published(history.at(-1), history.length % 2 === 1 ? next : old, host, at);
      // A node hears in seconds, a pod in minutes: each pair of neighbours in time must get on with each other.
      for (const bundle of [history.at(-1)!, publication]) {
        for (const chain of [history.at(-1)!, publication]) {
          expect(isTrusted(chain.server.certificate, bundle.authorities, at)).toBe(true);
        }
      }
      history.push(publication);
    }
  });
});

describe("a certificate is served at once", () => {
  it.each([
    { because: "there is none yet", present: undefined, offer: next, tells: [second] },
    {
      because: "the same authority signed it",
      present: old,
      offer: another,
      tells: [first],
    },
    {
      because: "every system knows who signed it",
      present: old,
      offer: { ...next, authorities: "" },
      tells: [first],
    },
    {
      because: "what is served is not for the login server",
      present: elsewhere,
      offer: next,
      tells: [second, first],
    },
    {
      because: "what is served has another's key",
      present: { ...old, server: { ...old.server, key: next.server.key } },
      offer: next,
      tells: [second, first],
    },
    {
      because: "what is served has expired",
      present: old,
      offer: later,
      tells: [second, first],
      at: now.plus({ years: 1, days: 1 }),
    },
  ])("if $because", ({ present, offer, tells, at = now }) => {
    const { publication } = published(present && { ...present, since }, offer, host, at);
    expect(publication.server).toBe(offer.server);
    expect(certificatesIn(publication.authorities)).toEqual(tells.map(({ certificate }) => certificate));
  });
});
