import { createHash, type Hash } from "node:crypto";
import { Transform } from "node:stream";

declare const brand: unique symbol;

/** The algorithms we can check, and the length of their hexadecimal form. */
const algorithms = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof algorithms;

/** `algorithm:hex` of the OCI image specification, "Digests". Only this file makes one. */
export type Digest = `${DigestAlgorithm}:${string}` & { readonly [brand]: "Digest" };

/** A claim about bytes: what they are, their digest, and how many there are. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** It is a manifest, though its media type is none that we know: where it was found tells. */
  readonly manifest?: true;
}

/** Text that should be a digest and is not. */
export class InvalidDigestError extends Error {
  override readonly name = "InvalidDigestError";
}

/** Bytes that are not what their descriptor claims. */
export class DigestMismatchError extends Error {
  override readonly name = "DigestMismatchError";
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, got ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** @throws {InvalidDigestError} for an unknown algorithm, upper case, or a wrong length (S12) */
export function parseDigest(text: string): Digest {
  const [first = "", hex, ...rest] = text.split(":");
  const algorithm = parseAlgorithm(first);
  if (rest.length > 0 || hex?.length !== algorithms[algorithm] || !/^[0-9a-f]+$/.test(hex)) {
    throw new InvalidDigestError(
      `a ${algorithm} digest has ${algorithms[algorithm]} lower-case hexadecimal digits`,
    );
  }
  return text as Digest;
}

/** @throws {InvalidDigestError} for an algorithm that we cannot check */
export function parseAlgorithm(text: string): DigestAlgorithm {
  if (text === "sha256" || text === "sha512") return text;
  throw new InvalidDigestError("the digest's algorithm is not sha256 or sha512");
}

/** Whether a parsed reference is a digest: no tag has a colon. */
export function isDigest(reference: string): reference is Digest {
  return reference.includes(":");
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = "sha256"): Digest {
  return finish(createHash(algorithm).update(bytes), algorithm);
}

/** The digest of what `hash` (of `algorithm`) has seen. */
export function finish(hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.digest("hex")}` as Digest;
}

/** Passes bytes through, and fails unless at the end they are exactly what `expected` claims. */
export function verify(expected: Pick<Descriptor, "digest" | "size">): Transform {
  const algorithm = algorithmOf(expected.digest);
  const hash = createHash(algorithm);
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > expected.size) {
        done(new DigestMismatchError(`${expected.size} bytes`, "more"));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const actual = finish(hash, algorithm);
      if (size !== expected.size) done(new DigestMismatchError(`${expected.size} bytes`, `${size}`));
      else done(actual === expected.digest ? null : new DigestMismatchError(expected.digest, actual));
    },
  });
}
