import { seconds } from "../../common/clock.ts";
import type { OutboxEntry } from "../content/outbox/entry.ts";
import { Turns } from "../content/turns.ts";
import { endsPass, isLinkFault, parentFault, sentenceOf, type ParentFault } from "../sync/faults.ts";
import type { UpwardWork } from "../sync/upward.ts";
import type { UpParts } from "./parts.ts";
import { refusalOf } from "./refusal.ts";
import type { Rests } from "./rests.ts";
import { PartSize } from "./send-blob.ts";
import { sendEntry, type EntryRoute, type Sent } from "./send-entry.ts";

interface DrainResult {
  /** Why it ended before it had tried everything. */
  readonly ending?: unknown;
  /** What only a person, or time, can mend at the parent as a whole. */
  readonly fault?: ParentFault;
}

const defaultWidth = 4;
const pause = seconds(1);
/** An entry with more bytes lets others go beside it: on a slow link it takes hours. */
const muchBytes = 32 * 1024 ** 2;

/** Tries everything that waits, and what comes meanwhile, once. */
export class Drain {
  private readonly parts: UpParts;
  private readonly work: UpwardWork;
  private readonly rests: Rests;
  private readonly settled: () => void;
  private readonly partSize = new PartSize();
  private readonly turns = new Turns();
  private readonly seen = new Set<number>();
  private bytes = 0;
  private sending = false;

  /** @param settled told after each entry */
  constructor(parts: UpParts, work: UpwardWork, rests: Rests, settled: () => void) {
    this.parts = parts;
    this.work = work;
    this.rests = rests;
    this.settled = settled;
  }

  async run(signal: AbortSignal): Promise<DrainResult> {
    const { outbox } = this.parts.content;
    for (let entry = await outbox.next(0); entry !== undefined; entry = await outbox.next(entry.id)) {
      this.seen.add(entry.id);
      if (this.rests.isResting(entry.id)) continue;
      try {
        signal.throwIfAborted();
        await (entry.bytes > muchBytes ? this.settleBeside(entry, signal) : this.settle(entry, signal));
      } catch (error) {
        const fault = parentFault(error);
        return { ending: error, ...(fault === undefined ? {} : { fault }) };
      }
    }
    this.rests.retain(this.seen);
    return {};
  }

  /** Sends `big`, and meanwhile what is small behind it, also what comes only then. @throws as `settle` */
  private async settleBeside(big: OutboxEntry, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const sending = this.settle(big, signal).finally(() => {
      over.abort();
    });
    const beside = this.settleSmall(big, AbortSignal.any([signal, over.signal]), signal);
    const results = await Promise.allSettled([sending, beside]);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** @param over aborts when no more is to be begun */
  private async settleSmall(big: OutboxEntry, over: AbortSignal, signal: AbortSignal): Promise<void> {
    const { outbox } = this.parts.content;
    for (let last = big.id; !over.aborted;) {
      const entry = await outbox.next(last);
      last = entry?.id ?? big.id;
      if (entry === undefined) await this.parts.clock.sleep(pause, over).catch(() => undefined);
      else if (entry.bytes <= muchBytes && !isSame(entry, big) && !this.rests.isResting(entry.id)) {
        this.seen.add(entry.id);
        await this.settle(entry, signal);
      }
    }
  }

  /** @throws what would keep every other entry from going up, too */
  private async settle(entry: OutboxEntry, signal: AbortSignal): Promise<void> {
    const { content, log, metrics } = this.parts;
    const { repository, reference, action } = entry;
    const before = this.bytes;
    try {
      const sent = await sendEntry(entry, this.route(entry, signal));
      this.rests.over(entry.id);
      this.tell(entry, sent);
      this.settled();
    } catch (error) {
      signal.throwIfAborted();
      if (endsPass(error)) throw error;
      if (isLinkFault(error) && !(await this.work.online())) throw error;
      const refusal = refusalOf(error);
      if (refusal === undefined) {
        const failures = this.bytes > before ? 1 : entry.failures + 1;
        const sentence = sentenceOf(error);
        await content.outbox.failed(entry, failures, sentence);
        this.rests.failed(entry.id, failures);
        metrics.ended("failed");
        log.warn("a change could not go up, and is tried again later", {
          ...{ repository, reference, action },
          error: sentence,
        });
        return;
      }
      await content.outbox.setAside(entry, refusal);
      metrics.ended("refused");
      log.warn("the parent refuses a change: it is set aside", { repository, reference, action, refusal });
      this.settled();
    }
  }

  private route({ repository }: OutboxEntry, signal: AbortSignal): EntryRoute {
    const { content, board, metrics, witness } = this.parts;
    const { parent, settings } = this.work;
    const { name, sync } = settings();
    const { outbox } = content;
    return {
      from: content.open(repository),
      to: parent.writer(repository),
      there: parent.open(repository),
      holder: (digest) =>
        content.holder(digest, (other) => other !== repository && outbox.knownAtParent(other)),
      turns: this.turns,
      width: sync?.concurrency ?? defaultWidth,
      uploads: outbox.uploads,
      parts: this.partSize,
      sent: (bytes) => {
        this.bytes += bytes;
        metrics.sent(bytes);
        if (!this.sending) board.update({ sending: true });
        this.sending = true;
      },
      outbox,
      policy: sync?.conflict ?? "parentWins",
      registry: name,
      doubts: (entry) => witness.doubts(entry),
      signal,
    };
  }

  private tell({ repository, reference, action, digest }: OutboxEntry, sent: Sent): void {
    const { log, metrics } = this.parts;
    const about = { repository, reference, action, digest };
    switch (sent.kind) {
      case "sent":
        metrics.ended("sent");
        log.info("a change went up", about);
        break;
      case "present":
        metrics.ended("present");
        log.debug("the parent has a change already", about);
        break;
      case "conflict": {
        const { theirs, settled, sentAs } = sent.conflict;
        metrics.ended("conflict");
        log.warn("the parent has another change of the tag", { ...about, theirs, settled, sentAs });
        break;
      }
      case "replaced":
        log.debug("a change was replaced by a newer one before it went up", about);
        break;
      case "stale":
        log.warn("the deletion of a manifest comes from a backup, and stays here", about);
    }
  }
}

/** Whether both are about one tag: then they have to go one after the other. */
function isSame(one: OutboxEntry, other: OutboxEntry): boolean {
  return one.repository === other.repository && one.reference === other.reference;
}
