import { seconds, type Clock } from "../../common/clock.ts";
import type { Logger } from "../../common/log.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import { isStorageFull } from "../content/quota.ts";
import { ContentNotFoundError, TagNotFoundError } from "../content/store.ts";
import { ElsewhereError } from "../http/elsewhere.ts";
import { DeniedError, NotFoundError, RepositoryNotFoundError } from "../remote/errors.ts";
import { sentenceOf } from "../sync/faults.ts";
import type { ParentRepository, PresentParent } from "../sync/parent.ts";

/** One repository of the parent, as long as `signal` has not aborted. */
export interface Source {
  readonly repository: ParentRepository;
  readonly signal: AbortSignal;
}

/** How long a client waits to be told what the parent has; transfers of blobs have no bound but silence (T36). */
const patience = seconds(15);
/** While the parent is away, those who ask for what it has make us look for it this often. */
const lookEveryMs = 5_000;

/** Where clients' wishes reach the parent: by the same connections, limits and pauses as syncs. */
export class Desk {
  private readonly present: () => PresentParent | undefined;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly end = new AbortController();
  private lookedAt = -Infinity;

  /** @param present the parent, while there is one that may be asked */
  constructor(present: () => PresentParent | undefined, clock: Clock, log: Logger) {
    this.present = present;
    this.clock = clock;
    this.log = log;
  }

  /** @throws {ElsewhereError} where there is nobody to ask, or he is known to be away: then nobody waits for that again */
  source(name: RepositoryName): Source {
    const present = this.present();
    if (present === undefined || this.end.signal.aborted) {
      throw new ElsewhereError("there is no parent that may be asked");
    }
    if (present.away) {
      this.look();
      throw new ElsewhereError("the parent cannot be reached, and it is not here");
    }
    const signal = AbortSignal.any([present.signal, this.end.signal]);
    return { repository: present.parent.open(name), signal };
  }

  /** Ends what is under way, and lets nothing begin. */
  close(): void {
    this.end.abort(new ElsewhereError("the registry stops"));
  }

  /** Somebody should find out whether the parent is there. */
  look(): void {
    const now = this.clock.steady();
    if (now - this.lookedAt < lookEveryMs) return;
    this.lookedAt = now;
    this.present()?.look();
  }

  /** What `work` gets from the parent, for a client that waits. @throws {ElsewhereError} if that takes too long */
  async answered<T>(work: Promise<T>): Promise<T> {
    const over = new AbortController();
    const late = this.clock.sleep(patience, over.signal).then(() => {
      this.look();
      throw new ElsewhereError("the parent does not answer, and it is not here");
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      over.abort(new Error("answered"));
      await Promise.allSettled([late]);
    }
  }

  /**
   * What a client is told instead of `error`, by which something could not be had from the parent. `undefined`: the parent has
   * no such thing, or does not show it to us, which many parents do not tell apart.
   */
  refusal(error: unknown, what: object): Error | undefined {
    const absent = [TagNotFoundError, ContentNotFoundError, NotFoundError, RepositoryNotFoundError];
    if ([...absent, DeniedError].some((each) => error instanceof each)) return undefined;
    // Our own bounds, and what was told before: said as it is.
    if (error instanceof OciError || error instanceof ElsewhereError || isStorageFull(error))
      return error as Error;
    this.log.warn("what a client asks for cannot be had from the parent", {
      ...what,
      reason: sentenceOf(error),
    });
    return new ElsewhereError("it cannot be had from the parent now, and is not here", { cause: error });
  }
}
