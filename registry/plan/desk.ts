import { seconds, type Clock } from "../../common/clock.ts";
import type { PlanStatus } from "../../common/contract/status.ts";
import { messageOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { ProbeDocument } from "../../common/probes.ts";
import type { Service } from "../../common/service.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import { pageOf, rangeOf } from "../status-pages.ts";
import type { PresentParent } from "../sync/parent.ts";
import { Wakeable } from "../sync/wakeable.ts";
import { answerOf } from "./answer.ts";
import { planStates, type PlanState } from "./entries.ts";
import type { KeptPlan } from "./kept-plan.ts";
import { preview, type Preview, type StoredContent } from "./preview.ts";

export interface DeskParts {
  readonly live: LiveConfiguration;
  readonly content: StoredContent;
  /** The parent, if there is one; also while syncs are suspended, for that is when people want to know. */
  readonly parent: () => PresentParent | undefined;
  readonly kept: KeptPlan;
  readonly show: (plan: PlanStatus) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is looked for a parent that is away. */
const patience = seconds(5);
const longestSleep = seconds(3600);
/** Nobody sees more than that, in milliseconds. */
const shownEvery = 1000;

/** Answers those who ask what a sync would do, one after the other; the last answer stays, across restarts. */
export class PlanDesk implements Service {
  readonly name = "plan";
  private readonly parts: DeskParts;
  private readonly sleeper: Wakeable;
  private answered: string | undefined;

  constructor(parts: DeskParts) {
    this.parts = parts;
    this.sleeper = new Wakeable(parts.clock);
  }

  /** Always: nobody who pulls needs a plan. */
  ready(): boolean {
    return true;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { kept, live, show } = this.parts;
    const last = await kept.answer();
    if (last !== undefined) show(last);
    this.answered = last?.request;
    const unsubscribe = live.subscribe(() => {
      this.sleeper.wake();
    });
    try {
      for (;;) {
        const open = await this.next(signal);
        await this.sleeper.sleep(open ? patience : longestSleep, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      unsubscribe();
    }
  }

  /** `/status/plan` */
  readonly page: ProbeDocument = {
    path: "/status/plan",
    read: async (query) => {
      const { offset, limit } = rangeOf(query);
      const state = planStates.find((each) => each === query.get("state"));
      const answer = await this.parts.kept.answer();
      const { count, items } = await this.parts.kept.page(offset, limit, state);
      return { ...answer, ...pageOf(this.page.path, withState(query, state), count, items) };
    },
  };

  /** Whether somebody still waits for an answer. @throws the signal's reason */
  private async next(signal: AbortSignal): Promise<boolean> {
    const { live, parent, clock, show } = this.parts;
    const { sync } = live.current.settings;
    const request = sync?.planRequest;
    if (sync === undefined || request === undefined || request === this.answered) return false;
    const present = parent();
    const begun = { request, startTime: clock.now().toISO() };
    if (present === undefined || present.away) {
      show({ ...begun, state: "Pending", message: "The parent is away: the plan is made when it answers." });
      return true;
    }
    const found = await this.look(present, begun, AbortSignal.any([signal, present.signal]));
    signal.throwIfAborted();
    // Other rules, or another parent: the answer would be of no use.
    if (found === undefined) return true;
    await this.answer(answerOf(begun, found, clock.now().toISO()), found);
    return live.current.settings.sync?.planRequest !== this.answered;
  }

  private async look(
    { parent }: PresentParent,
    begun: Pick<PlanStatus, "request" | "startTime">,
    signal: AbortSignal,
  ): Promise<Preview | undefined> {
    const { clock, content, live, log, show } = this.parts;
    const { sync } = live.current.settings;
    if (sync === undefined) return undefined;
    log.info("a plan begins", { request: begun.request });
    show({ ...begun, state: "Running" });
    let shownAt = clock.steady();
    const progress = (done: number, all: number): void => {
      const now = clock.steady();
      if (now - shownAt < shownEvery) return;
      shownAt = now;
      show({ ...begun, state: "Running", progress: { done, all } });
    };
    try {
      return await preview({ sync, source: parent, target: content, progress, signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      return { entries: [], repositories: [], ending: error };
    }
  }

  private async answer(plan: PlanStatus, { entries }: Preview): Promise<void> {
    const { kept, log, show } = this.parts;
    try {
      await kept.keep(plan, entries);
    } catch (error) {
      log.warn("the plan cannot be kept: there is its summary only", { error: messageOf(error) });
    }
    this.answered = plan.request;
    show(plan);
    const { request, state, tags, bytesToFetch } = plan;
    log.info("a plan is made", { request, state, ...tags, bytesToFetch });
  }
}

function withState(query: URLSearchParams, state: PlanState | undefined): URLSearchParams {
  const rest = new URLSearchParams(query);
  if (state === undefined) rest.delete("state");
  return rest;
}
