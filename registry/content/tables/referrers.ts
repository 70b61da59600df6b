import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName } from "../../../common/oci/reference.ts";
import type { Row } from "../database.ts";
import { lockBits } from "../locks/schema.ts";
import type { PageRequest, Referrer } from "../metadata.ts";
import { descriptorOf } from "./descriptor.ts";
import type { Statements } from "./statements.ts";

/** The largest list of referrers that is read at once, in bytes of what their makers wrote (S03). */
const maxReferrerText = 2 * 1024 * 1024;

/**
 * The manifests of the repository whose subject is `subject` and that may be listed, by digest. The page ends early, though
 * never empty, where the annotations would take too much memory.
 */
export function referrersOf(
  statements: Statements,
  repository: RepositoryName,
  subject: Digest,
  page: PageRequest,
  artifactType?: string,
): readonly Referrer[] {
  // What their makers wrote may be megabytes of each: sorting that would copy all of it.
  const rows = statements.rows(
    `SELECT m.id, coalesce(octet_length(m.artifact_type), 0) + coalesce(octet_length(m.annotations), 0) AS text
     FROM manifests m
     JOIN repositories r ON r.id = m.repository JOIN manifest_contents c ON c.id = m.content
     WHERE r.name = ? AND m.subject = ? AND m.locks & ${lockBits.listEnabled} = 0 AND c.digest > ?
     AND (? IS NULL OR m.artifact_type = ?) ORDER BY c.digest LIMIT ?`,
    repository,
    subject,
    page.after ?? "",
    artifactType,
    artifactType,
    page.limit,
  );
  const found: Referrer[] = [];
  let text = 0;
  for (const { id, text: length } of rows) {
    text += Number(length);
    if (found.length > 0 && text > maxReferrerText) break;
    const row = statements.row(
      `SELECT c.digest, c.size, m.media_type, m.artifact_type, m.annotations
       FROM manifests m JOIN manifest_contents c ON c.id = m.content WHERE m.id = ?`,
      id,
    );
    if (row !== undefined) found.push(referrerOf(row));
  }
  return found;
}

function referrerOf(row: Row): Referrer {
  return {
    ...descriptorOf(row),
    ...(typeof row.artifact_type === "string" ? { artifactType: row.artifact_type } : {}),
    ...(typeof row.annotations === "string"
      ? { annotations: JSON.parse(row.annotations) as Readonly<Record<string, string>> }
      : {}),
  };
}
