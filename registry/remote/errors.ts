import type { Duration } from "luxon";
import type { Digest } from "../../common/oci/digest.ts";

/** One entry of the `errors` of its answer (OCI distribution specification, "Error Codes"). */
export interface PeerFault {
  readonly code: string;
  /** What it is about, if it said so. */
  readonly digest?: Digest;
}

/**
 * What a parent registry may do to us. Each class stands for one decision of the sync engine; the messages are
 * sentences without times and counters, the same as long as the fault is, and hold no credentials.
 */

/** It did not answer: no route, refused, too slow, cut off, or 5xx. Worth another try; the parent counts as Offline. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** What only a person can help with. */
export class HelplessError extends Error {
  /** What the person can do, where it is not what the class suggests. */
  readonly remedy: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly remedy?: string | undefined } = {}) {
    super(message, options);
    this.remedy = options.remedy;
  }
}

/** It answered with a certificate that we do not trust, or without TLS. Only a person can help. */
export class UntrustedError extends HelplessError {
  override readonly name = "UntrustedError";
}

/** Its address is that of a metadata service, which nobody may make us ask (S42). Only a person can help. */
export class ForbiddenAddressError extends HelplessError {
  override readonly name = "ForbiddenAddressError";

  constructor(host: string) {
    super(`${host} leads to a metadata service of a cloud, and is not asked.`);
  }
}

/** It does not accept our credentials, or wants some and we have none. Only a person can help. */
export class UnauthorizedError extends HelplessError {
  override readonly name = "UnauthorizedError";
}

/** It knows us and does not let us. Only a person can help. */
export class DeniedError extends Error {
  override readonly name = "DeniedError";
}

/** It wants us to slow down. All that talk to it pause together (T34). */
export class RateLimitedError extends Error {
  override readonly name = "RateLimitedError";
  /** For how long, if it said so. */
  readonly retryAfter: Duration | undefined;

  constructor(message: string, retryAfter: Duration | undefined) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** It has no such thing. `RemoteRepository` says which thing, in the words of the content port. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
  readonly faults: readonly PeerFault[];

  constructor(message: string, faults: readonly PeerFault[] = []) {
    super(message);
    this.faults = faults;
  }
}

/** It says that it lacks something that a manifest names, though it may have said otherwise before (T23). */
export class UnknownPartError extends Error {
  override readonly name = "UnknownPartError";
  /** What it lacks, if it said so. */
  readonly digests: readonly Digest[];

  constructor(message: string, digests: readonly Digest[]) {
    super(message);
    this.digests = digests;
  }
}

/** Somebody else was faster: what is there is not what it was. */
export class ChangedMeanwhileError extends Error {
  override readonly name = "ChangedMeanwhileError";
}

/** It has no such repository. */
export class RepositoryNotFoundError extends Error {
  override readonly name = "RepositoryNotFoundError";
}

/** It answered with something that no registry should say. Trying again at once does not help. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly status: number | undefined;
  readonly faults: readonly PeerFault[];

  constructor(message: string, status?: number, faults: readonly PeerFault[] = []) {
    super(message);
    this.status = status;
    this.faults = faults;
  }
}

/** A transfer was cut and cannot be continued where it ended. Starting it over, with fresh bytes, can help (T31). */
export class NotResumableError extends Error {
  override readonly name = "NotResumableError";
}
