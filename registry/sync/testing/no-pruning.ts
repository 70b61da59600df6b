import type { AfterPass } from "../prune/pruned-pass.ts";

/** For tests of something else: nothing is ever pruned. */
export const noPruning: AfterPass = { after: async () => 0 };
