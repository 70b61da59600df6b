import type { TagConfirmations } from "../planning/tag-confirmations.ts";

/** For registries without rules of freshness. */
export const noConfirmations: TagConfirmations = { immutable: () => false, note: () => undefined };
