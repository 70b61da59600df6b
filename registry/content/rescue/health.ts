import { messageOf } from "../../../common/errors.ts";
import { evidenceOf } from "./damage.ts";

/** What the errors of a database, while it is used, say about its file. */
export class DatabaseHealth {
  private evidence: "none" | "suspect" | "damaged" = "none";
  private words = "";
  /** Something got worse, and nobody has asked since. */
  private news = false;
  private listener: () => void = () => undefined;

  /** Told of every error that the database gave, whatever it was about. */
  notice(error: unknown): void {
    const evidence = evidenceOf(error);
    if (evidence === "none" || this.evidence === "damaged" || this.evidence === evidence) return;
    this.evidence = evidence;
    this.words = messageOf(error);
    this.tell();
  }

  /** What was written may not reach the disk any more. */
  lost(): void {
    this.tell();
  }

  get state(): "none" | "suspect" | "damaged" {
    return this.evidence;
  }

  /** In the words of the first error that told. */
  get reason(): string {
    return this.words;
  }

  /** A check found nothing wrong. */
  cleared(): void {
    this.evidence = "none";
    this.news = false;
  }

  /** Calls `listener`, instead of an earlier one, when it gets worse; at once if it has since this was called last. */
  whenWorse(listener: () => void): void {
    this.listener = listener;
    if (this.news) listener();
    this.news = false;
  }

  private tell(): void {
    this.news = true;
    this.listener();
  }
}
