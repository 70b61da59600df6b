import type { RegistryMode, RegistrySettings } from "../../common/contract/config.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { Outbox } from "../content/outbox/outbox.ts";
import type { StatusBoard } from "../sync/telling/board.ts";

const sentence = "This registry is about to be deleted: push to another one.";

/**
 * A registry that is to be deleted takes no changes any more, and says when the parent has all that clients changed here.
 *
 * # Guarantees
 * Once that was said, nothing comes to wait that was not said of: also a change whose request had begun before is refused,
 * in its own transaction.
 */
export class Draining {
  private readonly settings: () => RegistrySettings;
  /** The request for which it was said. */
  private said: string | undefined;

  constructor(settings: () => RegistrySettings) {
    this.settings = settings;
  }

  /** Whether clients may write. */
  readonly mode = (): RegistryMode => {
    const { drain, mode } = this.settings();
    return drain === undefined ? mode : "ReadOnly";
  };

  /**
   * Whether a change of a client is to go up; asked in the transaction of each.
   *
   * @throws {OciError} `DENIED` once it was said that the parent has all
   */
  readonly goesUp = (): boolean => {
    const { drain, mode, parent } = this.settings();
    if (drain !== undefined && drain === this.said) throw new OciError("DENIED", { message: sentence });
    return mode === "ReadWrite" && parent !== undefined;
  };

  /** Tells the board, from now on, until the function that it returns is called. */
  follow(outbox: Pick<Outbox, "summary">, live: LiveConfiguration, board: StatusBoard): () => void {
    const look = (): void => {
      const { drain } = this.settings();
      this.said = drain !== undefined && outbox.summary().entries === 0 ? drain : undefined;
      if (board.current.drained !== this.said) board.update({ drained: this.said });
    };
    look();
    const unsubscribes = [live.subscribe(look), board.subscribe(look)];
    return () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
    };
  }
}
