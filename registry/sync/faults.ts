import { DigestMismatchError } from "../../common/oci/digest.ts";
import { hasCode, messageOf } from "../../common/errors.ts";
import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { InvalidReferenceError } from "../../common/oci/reference.ts";
import { InvalidSelectionError } from "../../common/selection/faults.ts";
import { isStorageFull } from "../content/quota.ts";
import { DiskPressureError } from "../content/rescue/free-space.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import { ContentLockedError, ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import {
  DeniedError,
  ForbiddenAddressError,
  HelplessError,
  ProtocolError,
  RateLimitedError,
  UnauthorizedError,
  UnreachableError,
  UntrustedError,
} from "../remote/errors.ts";
import { CatalogUnavailableError } from "./planning/catalog.ts";
import { InvalidScheduleError } from "./schedule/schedule-error.ts";
import { few } from "../../common/few.ts";

/** A fault of the whole parent, or of what a sync needs here, as ACR's `statusDetails` name it. */
export interface ParentFault {
  readonly code: string;
  /** What is wrong, and what a person can do. */
  readonly description: string;
}

/** What to tell of an error that concerns one repository or tag: a sentence that stays the same as long as the fault does. */
export function sentenceOf(error: unknown): string {
  if (error instanceof TagNotFoundError) return "The parent has no such tag.";
  if (error instanceof ContentNotFoundError)
    return `The parent does not have ${error.digest}, which the image needs.`;
  if (error instanceof ContentLockedError) return `Here the ${error.message}. Unlock it, or leave it out.`;
  if (error instanceof DigestMismatchError) return "What the parent sends does not match its digest.";
  if (error instanceof InvalidManifestError || error instanceof InvalidReferenceError) {
    return `The image cannot be read: ${error.message}.`;
  }
  if (error instanceof InvalidSelectionError) return `The rule cannot be followed: ${error.message}.`;
  if (error instanceof CatalogUnavailableError) {
    return "The parent has no list of its repositories. Name them in the SyncPolicy instead of using a pattern.";
  }
  return messageOf(error);
}

/** What to tell of an error that only a person, or time, can mend at the parent as a whole. */
export function parentFault(error: unknown): ParentFault | undefined {
  if (error instanceof UnauthorizedError) {
    return fault(
      "UNAUTHORIZED",
      error,
      error.remedy ?? "Check the user name and password in the parent's credentials Secret.",
    );
  }
  if (error instanceof UntrustedError) {
    const remedy = error.remedy ?? "Put the authority that signed it into the parent's CA bundle.";
    return fault("CERTIFICATE", error, remedy);
  }
  if (error instanceof ForbiddenAddressError) {
    return fault("ADDRESS", error, "Name another parent, token service or proxy.");
  }
  if (error instanceof RateLimitedError) {
    return fault(
      "TOOMANYREQUESTS",
      error,
      "The sync goes on when the parent allows it; a longer poll interval helps.",
    );
  }
  if (error instanceof InvalidScheduleError) {
    return fault("SCHEDULE", error, "Correct it in the SyncPolicy.");
  }
  return undefined;
}

/** What to tell of a parent that does not answer, or not as a registry does. */
export function connectionFault(error: unknown): ParentFault | undefined {
  if (error instanceof ProtocolError) {
    return fault("NOTAREGISTRY", error, "Check the parent's login server, its port and its protocol.");
  }
  if (!(error instanceof UnreachableError)) return undefined;
  const lasting = "What is here is served meanwhile; if it lasts, check the network and the parent.";
  if (hasCode(error.cause, "ENOTFOUND")) {
    return fault("UNRESOLVABLE", error, "Check how the parent's login server is spelt, and the DNS here.");
  }
  return hasCode(error.cause, "ECONNREFUSED")
    ? fault("REFUSED", error, "Check the port of the parent's login server, and whether the parent runs.")
    : fault("UNREACHABLE", error, lasting);
}

/** What to tell when it is our own volume that lacks something (T43). */
export function storageFault(error: unknown): ParentFault | undefined {
  if (!isDiskPressure(error)) return undefined;
  return {
    code: "DISKPRESSURE",
    description:
      "The volume is almost full: nothing is copied until there is room. Give it more, or select less.",
  };
}

/** What to tell when patterns cannot be followed, for the parent does not say which repositories it has. */
export function catalogFault(items: readonly { readonly error: unknown }[]): ParentFault | undefined {
  for (const { error } of items) {
    if (!(error instanceof CatalogUnavailableError)) continue;
    const needed = few([...error.patterns].sort());
    return error.denied
      ? {
          code: "CATALOGDENIED",
          description: `The parent does not let us list its repositories, which ${needed} needs. Name them in the SyncPolicy, or grant the credentials the right to list.`,
        }
      : {
          code: "NOCATALOG",
          description: `The parent has no list of its repositories, which ${needed} needs. Name them in the SyncPolicy.`,
        };
  }
  return undefined;
}

/** The right that is missing, told once for all that it is missing for. */
export function deniedFault(
  items: readonly { readonly repository: string; readonly error: unknown }[],
): ParentFault | undefined {
  const names = [
    ...new Set(items.filter(({ error }) => error instanceof DeniedError).map((item) => item.repository)),
  ];
  if (names.length === 0) return undefined;
  return {
    code: "DENIED",
    description: `The parent denies access to ${few([...names].sort())}. Grant the credentials the right to read them, or take them out of the SyncPolicy.`,
  };
}

/** Whether every other request would fail in the same way, so that a pass had better end. */
export function endsPass(error: unknown): boolean {
  return (
    error instanceof HelplessError ||
    error instanceof RateLimitedError ||
    error instanceof LinkQuotaError ||
    isDiskPressure(error)
  );
}

function isDiskPressure(error: unknown): boolean {
  return error instanceof DiskPressureError || isStorageFull(error);
}

/** Whether the parent may be gone. */
export function isLinkFault(error: unknown): boolean {
  return error instanceof UnreachableError;
}

function fault(code: string, error: Error, remedy: string): ParentFault {
  return { code, description: `${error.message} ${remedy}` };
}
