import type { Elsewhere } from "../elsewhere.ts";

/** For registries that have only what is here. */
export const nowhere: Elsewhere = {
  freshness: undefined,
  manifest: async () => undefined,
  referrers: async () => [],
  blob: async () => undefined,
};
