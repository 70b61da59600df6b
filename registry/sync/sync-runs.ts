import type { Backoff } from "../../common/backoff.ts";
import { seconds } from "../../common/clock.ts";
import type { SyncSettings } from "../../common/contract/config.ts";
import { catalogDetail } from "../../common/contract/status.ts";
import type { Repositories, SyncTarget } from "../content/store.ts";
import { LinkQuotaError } from "../link/quota-error.ts";
import type { Agenda, DueSync } from "./schedule/agenda.ts";
import type { SyncDetails } from "./telling/details.ts";
import { failuresOf } from "./telling/failures.ts";
import { catalogFault, deniedFault, parentFault, sentenceOf, storageFault } from "./faults.ts";
import type { Asked, History } from "./telling/history.ts";
import type { Link, LinkParts } from "./link.ts";
import { LiveRun } from "./telling/live-run.ts";
import type { PassResult } from "./pass.ts";
import { prunedPass, type AfterPass } from "./prune/pruned-pass.ts";
import type { Recovery } from "./recovery.ts";
import { ReferrerChecks } from "./referrers/referrer-checks.ts";
import { Retries } from "./copying/retries.ts";
import { reportOf, SupersededError, within } from "./round.ts";
import { allAfresh, type TagConfirmations } from "./planning/tag-confirmations.ts";
import type { Upward } from "./upward.ts";
import { Weights } from "./planning/weights.ts";
import type { SyncSchedule } from "./schedule/window.ts";

export interface RunParts extends LinkParts {
  readonly content: Repositories<SyncTarget>;
  readonly confirmations: TagConfirmations;
  readonly details: SyncDetails;
  readonly pruner: AfterPass;
  /** Brings what clients change here to the parent. Absent: nothing does. */
  readonly up?: Upward;
}

/** How often at most, and at least, one image is asked for what refers to it. */
const referrersInterval = { least: seconds(60), most: seconds(3600) };

/** The syncs of one session, one after the other, and what each leaves for the next. */
export class SyncRuns {
  private readonly parts: RunParts;
  private readonly history: History;
  private readonly recovery: Recovery;
  private readonly agenda: Agenda;
  private readonly asked: () => Asked;
  private readonly retries: Retries;
  private readonly referrerChecks: ReferrerChecks;
  private readonly weights = new Weights();
  /** What the last sync had to tell: said once. */
  private told: string | undefined;
  /** Ends the sync that runs, if nobody has asked for it. */
  private routine: AbortController | undefined;

  /**
   * @param rest of a tag that failed so many times
   * @param asked what there is to meet at present
   */
  constructor(
    parts: RunParts,
    history: History,
    recovery: Recovery,
    agenda: Agenda,
    rest: Backoff,
    asked: () => Asked,
  ) {
    this.parts = parts;
    this.history = history;
    this.recovery = recovery;
    this.agenda = agenda;
    this.asked = asked;
    this.retries = new Retries(parts.clock, rest);
    this.referrerChecks = new ReferrerChecks(parts.clock, referrersInterval.least, referrersInterval.most);
  }

  /** Ends a sync that runs and that nobody has asked for: somebody asks for another. False if there is none. */
  makeWay(): boolean {
    this.routine?.abort(new SupersededError("a person wants a sync now"));
    return this.routine !== undefined;
  }

  /**
   * Does the sync that is due, and tells of it.
   *
   * @throws the signal's reason
   */
  async run(
    { trigger, slot }: DueSync,
    schedule: SyncSchedule,
    sync: SyncSettings,
    link: Link,
    signal: AbortSignal,
  ): Promise<PassResult> {
    const { board, clock, confirmations, content, details, log, metrics } = this.parts;
    const run = new LiveRun(trigger, board, clock, () => link.received);
    const recovered = this.recovery.begin();
    const asked = this.asked();
    if (trigger === "ManualResync" || trigger === "RecoveryService" || trigger === "SyncTokenUpdate") {
      this.retries.clear();
      this.referrerChecks.clear();
    }
    if (trigger === "ManualResync") this.parts.up?.hurry();
    this.history.began(asked.resyncRequest, run.begun.startTime);
    if (trigger !== "Schedule") {
      log.info("a sync begins", { trigger });
      run.show();
    }
    const routine = new AbortController();
    if (trigger === "Schedule" || trigger === "RecoveryService") this.routine = routine;
    const result = await run.during(() =>
      within(slot.end, clock, AbortSignal.any([signal, routine.signal]), (until) =>
        prunedPass(
          this.parts.pruner,
          { ...sync.prune, onlyGone: sync.onDemand.policy === "Any" },
          {
            sync,
            source: link.parent,
            target: content,
            retries: this.retries,
            referrerChecks: this.referrerChecks,
            weights: this.weights,
            confirmations: trigger === "RecoveryService" ? allAfresh(confirmations) : confirmations,
            up: this.parts.up,
            parentGone: async () => !(await link.contact.check()),
            progress: run.show,
            watch: run.progress,
            log,
            signal: until,
          },
        ),
      ),
    );
    this.routine = undefined;
    signal.throwIfAborted();
    const end = clock.now();
    const failures = failuresOf(result.failures);
    details.failures = failures;
    const report = reportOf(run.begun, result, failures, end, run.progress.at(result.tags, end));
    const complete = result.ending === undefined;
    if (complete) recovered();
    this.agenda.ended(result, slot, schedule);
    board.update({ copying: false });
    board.setFault("Parent", parentFault(result.ending) ?? deniedFault(result.failures));
    board.setFault(catalogDetail, catalogFault(result.failures));
    board.setFault("Storage", storageFault(result.ending));
    metrics.ended(report, end.toSeconds());
    const next =
      result.ending instanceof LinkQuotaError
        ? this.agenda.due(schedule, result.ending.until, asked).slot.start
        : this.agenda.expected(schedule, end);
    if (report.message !== undefined && report.message !== this.told) {
      log.warn("rules of the policy leave out what may be wanted", { message: report.message });
    }
    this.told = report.message;
    const planned = next === undefined ? report : { ...report, nextTime: next.toISO() };
    await this.history.ended(planned, complete, asked);
    if (report.state !== "Succeeded" || report.tags.copied > 0) {
      const reason = complete ? {} : { reason: sentenceOf(result.ending) };
      log.info("a sync has ended", {
        trigger,
        state: report.state,
        ...report.tags,
        bytes: report.bytes,
        bytesSaved: report.bytesSaved,
        ...reason,
      });
    }
    return result;
  }
}
