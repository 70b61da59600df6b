import type { Digest } from "../../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../../common/oci/reference.ts";
import type { PageRequest } from "../metadata.ts";
import type { Statements } from "../tables/statements.ts";
import type { TagItem } from "./locks.ts";
import { attributesOf, timesOf } from "./rows.ts";
import { lockBits } from "./schema.ts";

/** How many manifests are looked at in one step. */
const stepSize = 500;

/** The tags of a page with what is told of them, in ASCIIbetical order: those that may be listed. */
export function tagPage(
  statements: Statements,
  repository: RepositoryName,
  { after = "", limit }: PageRequest,
): readonly TagItem[] {
  const rows = statements.rows(
    `SELECT t.name, t.locks, t.updated_at, m.pushed_at, c.digest FROM tags t
     JOIN repositories r ON r.id = t.repository JOIN manifests m ON m.id = t.manifest
     JOIN manifest_contents c ON c.id = m.content
     WHERE r.name = ? AND t.name > ? AND t.locks & ${lockBits.listEnabled} = 0 ORDER BY t.name LIMIT ?`,
    repository,
    after,
    limit,
  );
  return rows.map((row) => ({
    ...timesOf(row),
    tag: String(row.name) as Tag,
    digest: String(row.digest) as Digest,
    attributes: attributesOf(Number(row.locks)),
  }));
}

/**
 * The digests of a page of manifests, in their order: of those that may be listed. No index has them in this order, which
 * clients go on by, so it looks at all of the repository, in steps between which everybody else goes on. What changes
 * meanwhile may be seen or not.
 */
export async function manifestPage(
  statements: Statements,
  repository: RepositoryName,
  { after = "", limit }: PageRequest,
): Promise<readonly Digest[]> {
  const id = statements.row("SELECT id FROM repositories WHERE name = ?", repository)?.id;
  let first: Digest[] = [];
  for (let content = 0; ;) {
    const rows = statements.rows(
      `SELECT m.content, m.locks, c.digest FROM manifests m JOIN manifest_contents c ON c.id = m.content
       WHERE m.repository = ? AND m.content > ? ORDER BY m.content LIMIT ${stepSize}`,
      id,
      content,
    );
    const listed = rows.filter((row) => (Number(row.locks) & lockBits.listEnabled) === 0);
    first.push(...listed.map(({ digest }) => String(digest) as Digest).filter((digest) => digest > after));
    first = first.sort().slice(0, limit);
    const last = rows.at(-1);
    if (last === undefined || rows.length < stepSize) return first;
    content = Number(last.content);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
