import { DateTime } from "luxon";
import { seconds, type Clock } from "../../../common/clock.ts";
import type { ResyncStatus, SyncStatus } from "../../../common/contract/status.ts";
import { messageOf } from "../../../common/errors.ts";
import type { Logger } from "../../../common/log.ts";
import type { StatusBoard } from "./board.ts";
import type { SyncDetails } from "./details.ts";
import type { JournalEntry, SyncJournal } from "./journal.ts";

/** Routine passes change nothing but times: a memory card need not be written for each of them. */
const journalInterval = seconds(300);
const runsKept = 20;

/** What may ask for a sync beside the schedule: any other value than when the last one began. */
export interface Asked {
  /** Of a person, the newest. */
  readonly resyncRequest: string | undefined;
  /** What stands for the rights at the parent. */
  readonly scope: string | undefined;
}

/** What happened so far, across restarts: kept in the journal, shown on the board. */
export class History {
  private readonly journal: SyncJournal;
  private readonly board: StatusBoard;
  private readonly details: SyncDetails;
  private readonly clock: Clock;
  private readonly log: Logger;
  private entry: JournalEntry;
  private written: { readonly entry: JournalEntry; readonly at: number };

  private constructor(
    journal: SyncJournal,
    board: StatusBoard,
    details: SyncDetails,
    clock: Clock,
    log: Logger,
    entry: JournalEntry,
  ) {
    this.journal = journal;
    this.board = board;
    this.details = details;
    this.clock = clock;
    this.log = log;
    this.entry = entry;
    this.written = { entry, at: clock.steady() };
  }

  static async restore(
    journal: SyncJournal,
    board: StatusBoard,
    details: SyncDetails,
    clock: Clock,
    log: Logger,
  ): Promise<History> {
    const history = new History(journal, board, details, clock, log, await journal.read());
    history.show();
    return history;
  }

  /** When the last sync began that did all it could; `undefined` before the first. */
  get done(): DateTime<true> | undefined {
    const time = DateTime.fromISO(this.entry.doneTime ?? "", { zone: "utc" });
    return time.isValid ? time : undefined;
  }

  /** What stood for the rights at the parent when the last sync began that did all it could. */
  get scope(): string | undefined {
    return this.entry.scope;
  }

  /**
   * From now on the parent is the one at `place`. That another one was synced with says nothing about this one, except
   * which of a person's requests were met.
   */
  attach(place: string): void {
    const { place: known, runs, resyncRequest, resync } = this.entry;
    if (known === place) return;
    // A journal of before there were places is about the parent that the settings name.
    this.entry = known === undefined ? { ...this.entry, place } : { place, runs, resyncRequest, resync };
    this.show();
  }

  /** Whether a person's `request` waits for a sync that tries everything. */
  owes(request: string | undefined): request is string {
    return request !== undefined && request !== this.entry.resyncRequest;
  }

  /** What a person asks for now, if anything. */
  asked(request: string | undefined): void {
    const { resync } = this.entry;
    if (!this.owes(request)) {
      // Taken back before it was met.
      if (isOpen(resync)) this.answer(undefined);
    } else if (resync?.request !== request) this.answer({ request, state: "Pending" });
  }

  /** A sync begins. @param request the newest of a person */
  began(request: string | undefined, startTime: string): void {
    if (this.owes(request)) this.answer({ request, state: "Syncing", startTime });
  }

  /** Whatever ran runs no more, and will begin again. */
  interrupted(): void {
    const { resync } = this.entry;
    if (resync?.state === "Syncing") this.answer({ request: resync.request, state: "Pending" });
  }

  /**
   * @param complete whether the sync tried everything, rather than being cut short
   * @param asked what there was to meet when it began
   */
  async ended(sync: SyncStatus, complete: boolean, asked: Asked): Promise<void> {
    this.entry = {
      ...this.entry,
      sync,
      ...(this.owes(asked.resyncRequest) ? { resync: answerOf(sync, asked.resyncRequest) } : {}),
      ...(complete ? { doneTime: sync.startTime, ...asked } : {}),
      ...(sync.state === "Succeeded" ? { lastSyncTime: sync.endTime, upToDateAsOf: sync.startTime } : {}),
      ...(isNews(sync) ? { runs: [sync, ...(this.entry.runs ?? [])].slice(0, runsKept) } : {}),
    };
    this.show();
    const routine = timeless(this.entry) === timeless(this.written.entry);
    if (!routine || this.written.at + journalInterval.toMillis() <= this.clock.steady()) await this.save();
  }

  /** Never rejects: without a journal a restart costs a comparison with the parent, and no content. */
  async save(): Promise<void> {
    if (this.entry === this.written.entry) return;
    try {
      await this.journal.write(this.entry);
      this.written = { entry: this.entry, at: this.clock.steady() };
    } catch (error) {
      this.log.warn("the sync journal cannot be written", { error: messageOf(error) });
    }
  }

  private answer(resync: ResyncStatus | undefined): void {
    this.entry = { ...this.entry, resync };
    // Of the rest the board may know better: a sync that runs.
    this.board.update({ resync });
  }

  private show(): void {
    const { lastSyncTime, upToDateAsOf, runs, sync, resync } = this.entry;
    this.details.runs = runs ?? [];
    this.board.update({ upToDateAsOf, lastSyncTime, sync, resync });
  }
}

function isOpen(resync: ResyncStatus | undefined): boolean {
  return resync?.state === "Pending" || resync?.state === "Syncing";
}

function answerOf({ state, startTime, endTime }: SyncStatus, request: string): ResyncStatus {
  if (state === "Pending" || state === "Syncing" || state === "TimedOut")
    return { request, state: "Pending" };
  return { request, state, startTime, ...(endTime === undefined ? {} : { endTime }) };
}

/** Whether a sync was more than a look at a parent that has nothing new. */
function isNews({ trigger, state, tags }: SyncStatus): boolean {
  return trigger !== "Schedule" || state !== "Succeeded" || tags.copied > 0;
}

function timeless({ place, sync, resyncRequest, scope }: JournalEntry): string {
  return JSON.stringify([
    place,
    resyncRequest,
    scope,
    sync?.trigger,
    sync?.state,
    sync?.tags,
    sync?.message,
    sync?.failures.map(({ repository, tag, message }) => [repository, tag, message]),
  ]);
}
