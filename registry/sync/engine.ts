import { seconds } from "../../common/clock.ts";
import type { RegistrySettings } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";
import type { Service } from "../../common/service.ts";
import type { LiveConfiguration } from "../configuration/live-configuration.ts";
import type { SyncJournal } from "./telling/journal.ts";
import { placeOfParent, type PresentParent } from "./parent.ts";
import { History } from "./telling/history.ts";
import { Recovery } from "./recovery.ts";
import { SyncSession, type SessionParts } from "./session.ts";

export interface EngineParts extends SessionParts {
  readonly configuration: LiveConfiguration;
  readonly journal: SyncJournal;
}

const restAfterFault = seconds(10);

/**
 * Keeps this registry in step with its parent: at any moment it works by the present configuration. Other rules,
 * another parent or a suspension end what is under way; fresh credentials, other limits of the link and a person's
 * request for a sync do not.
 *
 * Tags that the parent removed, or that the rules select no more, are kept.
 */
export class SyncEngine implements Service {
  readonly name = "sync";
  private readonly parts: EngineParts;
  private readonly recovery = new Recovery();
  private session:
    | { readonly run: SyncSession; readonly work: string; asked: string; readonly end: AbortController }
    | undefined;

  constructor(parts: EngineParts) {
    this.parts = parts;
  }

  /** Always: a registry serves whatever its parent does. */
  ready(): boolean {
    return true;
  }

  /** The parent, if there is one that may be asked now. */
  readonly parent = (): PresentParent | undefined => this.session?.run.present;

  /** The parent, also while syncs are suspended: for those who only look. */
  readonly visibleParent = (): PresentParent | undefined => this.session?.run.visible;

  /** Content that was here is missing or damaged: a full sync, which finds that out for itself, is due. */
  readonly recover = (): void => {
    this.recovery.request();
    this.session?.run.recover();
  };

  async run(signal: AbortSignal): Promise<void> {
    const { configuration, board, details, journal, clock, log } = this.parts;
    const history = await History.restore(journal, board, details, clock, log);
    const unsubscribe = configuration.subscribe(({ settings }) => {
      this.changed(settings);
    });
    try {
      while (!signal.aborted) {
        const { settings } = configuration.current;
        if (settings.parent !== undefined) history.attach(placeOfParent(settings.parent));
        const end = new AbortController();
        const run = new SyncSession(this.parts, history, this.recovery, settings);
        this.session = { run, work: workOf(settings), asked: askedOf(settings), end };
        const ended = AbortSignal.any([signal, end.signal]);
        try {
          await run.run(ended);
        } catch (error) {
          if (ended.aborted) continue;
          log.error("the sync ended with a fault of its own, and begins again", { error });
          board.setFault("Sync", { code: "INTERNAL", description: `The sync failed: ${messageOf(error)}` });
          await clock.sleep(restAfterFault, ended).catch(() => undefined);
        }
      }
    } finally {
      unsubscribe();
      board.update({ copying: false });
      await history.save();
    }
  }

  private changed(settings: RegistrySettings): void {
    if (this.session === undefined) return;
    if (workOf(settings) === this.session.work) {
      const asked = askedOf(settings);
      // Somebody who asks what a sync would do does not want one.
      if (asked !== this.session.asked) this.session.run.configure(settings);
      this.session.asked = asked;
    } else this.session.end.abort(new Error("the settings have changed"));
  }
}

/** What a sync does not depend on, or takes on while it runs. */
const besideWork = {
  resyncRequest: undefined,
  planRequest: undefined,
  limits: undefined,
  onDemand: undefined,
  freshness: undefined,
};

/** Equal for settings between which a sync that is under way may go on. */
function workOf({ parent, sync, suspend }: RegistrySettings): string {
  const place = parent === undefined ? "" : placeOfParent(parent);
  return JSON.stringify([place, suspend, { ...sync, ...besideWork }]);
}

/** Equal for settings that ask the same of a sync. */
function askedOf(settings: RegistrySettings): string {
  return JSON.stringify({ ...settings, sync: { ...settings.sync, planRequest: undefined } });
}
