import { lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { ProtocolError } from "./errors.ts";
import { guarded } from "./guarded-lookup.ts";
import { isMetadataService, mayLead, reachOf, type Reach } from "./reach.ts";

/** Who redirects. */
interface Redirector {
  readonly url: URL;
  /** Where the request first went. */
  readonly parent: URL;
  readonly reach: Reach;
}

interface Destination {
  readonly url: URL;
  /** For the connection to it: a name must not hide an address that would have been refused. */
  readonly lookup: LookupFunction | undefined;
}

/** Where a parent may send us: to hosts that were named, or to any that is not nearer to us than who sends us (S42). */
export class Redirects {
  private readonly dataEndpoints: readonly string[];
  private readonly lookup: LookupFunction | undefined;

  /** @param dataEndpoints hosts, or `*.` and a domain; empty: any */
  constructor(dataEndpoints: readonly string[], lookup: LookupFunction | undefined) {
    this.dataEndpoints = dataEndpoints.map((name) => name.toLowerCase());
    this.lookup = lookup;
  }

  /** @throws {ProtocolError} if we do not go there */
  follow(location: string, { url, parent, reach }: Redirector): Destination {
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    const downgrade = next?.protocol !== "https:" && next?.protocol !== url.protocol;
    if (next === undefined || downgrade || next.username !== "" || next.password !== "") {
      throw new ProtocolError(`${url.host} redirects to an address that we do not follow.`);
    }
    if (next.origin === parent.origin) return { url: next, lookup: this.lookup };
    const named = this.dataEndpoints.some((pattern) => isHost(pattern, next.hostname));
    if (!named && this.dataEndpoints.length > 0 && next.hostname !== parent.hostname) {
      throw new ProtocolError(
        `${url.host} redirects to ${next.hostname}, which is none of its data endpoints.`,
      );
    }
    const allows = (address: string): boolean => {
      const to = reachOf(address) ?? "public";
      return !isMetadataService(address) && (mayLead(reach, to) || (named && to !== "linkLocal"));
    };
    const isLiteral = reachOf(next.hostname) !== undefined;
    if (isLiteral && !allows(next.hostname)) throw refused(next.hostname);
    return {
      url: next,
      lookup: guarded(this.lookup ?? systemLookup, allows, refused),
    };
  }
}

function isHost(pattern: string, hostname: string): boolean {
  return pattern.startsWith("*.") ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
}

function refused(hostname: string): ProtocolError {
  return new ProtocolError(`The parent redirects to ${hostname}, which is nearer to us than to it. Refused.`);
}
