import type { LookupFunction } from "node:net";

/**
 * A resolution of names that refuses a name if only one of its addresses is refused: which of them is taken is not ours to
 * say. Made when a connection is, so that a second answer of the DNS changes nothing.
 */
export function guarded(
  lookup: LookupFunction,
  allows: (address: string) => boolean,
  refusal: (hostname: string) => Error,
): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      if (error !== null) {
        callback(error, address, family);
        return;
      }
      const found = typeof address === "string" ? [address] : address.map((each) => each.address);
      const refused = found.some((each) => !allows(each));
      callback(refused ? refusal(hostname) : null, address, family);
    });
  };
}
