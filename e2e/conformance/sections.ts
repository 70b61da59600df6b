import { cancelling } from "./cancel.ts";
import { errors } from "./errors.ts";
import { deleting } from "./management.ts";
import { mounting } from "./mount.ts";
import { base, manifests } from "./pull.ts";
import { blobs, existence } from "./pull-blobs.ts";
import { monolithic } from "./push-blobs.ts";
import { chunked } from "./push-chunks.ts";
import { indexPush } from "./push-indexes.ts";
import { manifestPush } from "./push-manifests.ts";
import { referencePush } from "./push-references.ts";
import { referrers } from "./referrers.ts";
import type { Section } from "./requirement.ts";
import { subjects } from "./subjects.ts";
import { catalog, tags } from "./tags.ts";

/** Every requirement, in the order of the specification. */
export const sections: readonly Section[] = [
  base,
  manifests,
  blobs,
  existence,
  monolithic,
  chunked,
  cancelling,
  mounting,
  manifestPush,
  referencePush,
  indexPush,
  subjects,
  tags,
  catalog,
  referrers,
  deleting,
  errors,
];
