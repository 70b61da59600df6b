import { lockBits } from "../locks/schema.ts";
import { waitsToGoUp } from "../outbox/schema.ts";

/** The locks that keep what has them. */
export const keep = lockBits.deleteEnabled | lockBits.writeEnabled;

/** Whether `digest` is a manifest of the repository in column `m.repository`. */
export const here = (digest: string): string => `EXISTS (SELECT 1 FROM manifest_contents xc JOIN manifests x
  ON x.content = xc.id AND x.repository = m.repository WHERE xc.digest = ${digest})`;

/** What the tag in `t` is about, by its name alone (see `attachedTo`); null if it is a tag like any other. */
const subjectOfTag = `CASE
  WHEN t.name GLOB 'sha256-*' AND (length(t.name) = 71 OR substr(t.name, 72, 1) = '.')
    THEN 'sha256:' || substr(t.name, 8, 64)
  WHEN t.name GLOB 'sha512-*' AND (length(t.name) = 135 OR substr(t.name, 136, 1) = '.')
    THEN 'sha512:' || substr(t.name, 8, 128) END`;

/** Whether the tag in `t` keeps the manifest in `m` and `c`: not if it is about that itself, or about what is gone. */
const tagKeeps = `(t.locks & ${keep} <> 0 OR ${subjectOfTag} IS NULL
  OR (${subjectOfTag} <> c.digest AND ${here(subjectOfTag)}))`;

/** Whether nothing keeps the manifest in `m` and `c`. */
export const isIdle = `NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest = m.id AND ${tagKeeps})
  AND NOT EXISTS (SELECT 1 FROM manifest_children k JOIN manifests p ON p.id = k.manifest
                  WHERE k.digest = c.digest AND p.repository = m.repository)
  AND (m.subject IS NULL OR NOT ${here("m.subject")}) AND NOT ${waitsToGoUp}
  AND NOT EXISTS (SELECT 1 FROM pruned_tags pt WHERE pt.manifest = m.id)`;

/** Whether the row of `repositories` has neither content nor locks. */
export const isEmpty = `locks = 0 AND NOT EXISTS (SELECT 1 FROM manifests WHERE repository = repositories.id)
  AND NOT EXISTS (SELECT 1 FROM blob_links WHERE repository = repositories.id)`;
