import type { DateTime } from "luxon";
import { seconds, type Clock } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import type { LinkLimits } from "../../common/contract/link-settings.ts";
import type { LinkStatus } from "../../common/contract/status.ts";
import type { Service } from "../../common/service.ts";
import type { LinkGate, LinkTraffic } from "./gate.ts";
import { LinkLimiter, type Urgency } from "./limiter.ts";
import { localTime, periodAt, rateAt, type QuotaPeriod } from "./limits.ts";
import { LinkQuotaError } from "./quota-error.ts";
import type { LinkUsage } from "./usage.ts";

export interface BudgetParts {
  readonly usage: LinkUsage;
  /** Told what has moved, and whether that was a question rather than content. */
  readonly counted: (traffic: LinkTraffic, question: boolean) => void;
  /** Told how things stand: when the limits change, and every few seconds while something moves. */
  readonly show: (status: LinkStatus) => void;
  readonly clock: Clock;
}

interface Present {
  readonly at: number;
  readonly rate: number | undefined;
  readonly day: QuotaPeriod;
  readonly month: QuotaPeriod;
}

const tick = seconds(5);
/** A memory card need not be written for the few bytes of a poll each time. */
const worthSaving = 1024 * 1024;
const ticksUnsaved = 12;
/** How long what the calendar says is taken for granted: it is asked for every chunk. */
const presentMs = 500;

const unlimited: LinkLimits = { windows: [] };

/** What may go over the link to the parent, how much did, and who has to wait. One for all flows. */
export class LinkBudget implements LinkGate, Service {
  readonly name = "link budget";
  private readonly parts: BudgetParts;
  private readonly limiter: LinkLimiter;
  private limits: LinkLimits = unlimited;
  private timeZone = "UTC";
  private present: Present | undefined;
  private shown = "";

  constructor(parts: BudgetParts, settings: RegistrySettings) {
    this.parts = parts;
    this.limiter = new LinkLimiter(parts.clock, () => this.now().rate);
    this.configure(settings);
  }

  /** In effect at once, also for what is under way. */
  configure({ sync }: RegistrySettings): void {
    this.limits = sync?.limits ?? unlimited;
    this.timeZone = sync?.timeZone ?? "UTC";
    this.present = undefined;
    this.limiter.changed();
    this.show();
  }

  /** Until when the quota is used up; `undefined` while it is not. */
  get closedUntil(): DateTime<true> | undefined {
    const { quota } = this.limits;
    if (quota === undefined) return undefined;
    const period = this.period(quota.period);
    return this.parts.usage.used(quota.period, period.id) >= quota.bytes ? period.end : undefined;
  }

  assertOpen(): void {
    const until = this.closedUntil;
    if (until !== undefined) throw new LinkQuotaError(until);
  }

  async passed(traffic: LinkTraffic, urgency: Urgency, signal?: AbortSignal): Promise<void> {
    this.count(traffic, urgency === "small");
    await this.limiter.pay(traffic.received + traffic.sent, urgency, signal);
  }

  passedUnasked(traffic: LinkTraffic): void {
    this.count(traffic, false);
  }

  get status(): LinkStatus {
    const { quota } = this.limits;
    const { usage } = this.parts;
    const { rate, day, month } = this.now();
    const base = {
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
      usedToday: usage.used("Day", day.id),
      usedThisMonth: usage.used("Month", month.id),
      questionsToday: usage.questions("Day", day.id),
    };
    if (quota === undefined) return base;
    const { id, end } = this.period(quota.period);
    const left = Math.max(0, quota.bytes - usage.used(quota.period, id));
    return { ...base, quota: { ...quota, left, resetTime: end.toISO() } };
  }

  /** Always: nobody who pulls needs the link. */
  ready(): boolean {
    return true;
  }

  /** Keeps on the volume, and shows, what was used. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, usage } = this.parts;
    for (let ticks = 1; !signal.aborted; ticks++) {
      await clock.sleep(tick, signal).catch(() => undefined);
      this.show();
      if (usage.unsaved >= worthSaving || ticks % ticksUnsaved === 0) await usage.save();
    }
    await usage.save();
  }

  private count(traffic: LinkTraffic, question: boolean): void {
    const bytes = traffic.received + traffic.sent;
    if (bytes === 0) return;
    const { day, month } = this.now();
    this.parts.usage.add(bytes, { Day: day.id, Month: month.id }, question ? bytes : 0);
    this.parts.counted(traffic, question);
  }

  private show(): void {
    const { status } = this;
    const text = JSON.stringify(status);
    if (text === this.shown) return;
    this.shown = text;
    this.parts.show(status);
  }

  private period(period: "Day" | "Month"): QuotaPeriod {
    const { day, month } = this.now();
    return period === "Day" ? day : month;
  }

  private now(): Present {
    const at = this.parts.clock.millis();
    const known = this.present;
    if (known !== undefined && at >= known.at && at - known.at < presentMs) return known;
    const local = localTime(this.parts.clock.now(), this.timeZone);
    const [day, month] = [periodAt("Day", local), periodAt("Month", local)];
    this.present = { at, rate: rateAt(this.limits, local), day, month };
    return this.present;
  }
}
