import type { SyncFailure, SyncStatus } from "../../../common/contract/status.ts";

/** What a status has no room for: `/status` shows it page by page. */
export class SyncDetails {
  /** Of the last sync that ended, sorted by repository and tag. */
  failures: readonly SyncFailure[] = [];
  /** The last syncs that did something, or should have; the newest first. */
  runs: readonly SyncStatus[] = [];
}
