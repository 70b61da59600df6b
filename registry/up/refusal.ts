import { InvalidManifestError } from "../../common/oci/manifest.ts";
import { ContentNotFoundError } from "../content/store.ts";
import { DeniedError, NotFoundError, ProtocolError, UnknownPartError } from "../remote/errors.ts";

/** Answers that another try does not change. */
const final: ReadonlySet<number | undefined> = new Set([400, 405, 409, 410, 413, 415, 422, 501]);

/**
 * Why an entry cannot go up until a person does something, as a sentence that stays the same as long as the cause does;
 * `undefined` if another try may help.
 */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof DeniedError) {
    return "The parent denies the right to change the repository: grant it, and ask for a resync.";
  }
  if (error instanceof NotFoundError) {
    return "The parent has no place for the repository: create it there, and ask for a resync.";
  }
  if (error instanceof UnknownPartError) {
    return "The parent says that it lacks parts of the image, though they were sent to it.";
  }
  if (error instanceof ContentNotFoundError) {
    return `What was pushed is no longer whole: ${error.digest} is not here. Push it again.`;
  }
  if (error instanceof InvalidManifestError) return `The image cannot be read: ${error.message}.`;
  if (!(error instanceof ProtocolError) || !final.has(error.status)) return undefined;
  if (error.status === 405) {
    return "The parent does not allow this: allow it there (deleting, or changing the tag), and ask for a resync.";
  }
  return `The parent refuses it: ${error.message}`;
}
