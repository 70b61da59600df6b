import { randomUUID } from "node:crypto";
import type { DateTime } from "luxon";
import { seconds } from "../../../common/clock.ts";
import { parseSettings, type RegistrySettings } from "../../../common/contract/config.ts";
import { createMetrics } from "../../../common/metrics.ts";
import type { RegistryStatus } from "../../../common/contract/status.ts";
import { eventually } from "../../../common/testing/eventually.ts";
import { ManualClock } from "../../../common/testing/manual-clock.ts";
import { silentLog } from "../../../common/testing/silent-log.ts";
import { LiveConfiguration } from "../../configuration/live-configuration.ts";
import type { RegistryContent } from "../../content/content.ts";
import { DiskPressureError, type Space } from "../../content/rescue/free-space.ts";
import { repository, tag } from "../../content/testing/images.ts";
import { StatusBoard } from "../telling/board.ts";
import { SyncDetails } from "../telling/details.ts";
import { SyncEngine } from "../engine.ts";
import type { JournalEntry, SyncJournal } from "../telling/journal.ts";
import { createSyncMetrics } from "../telling/metrics.ts";
import type { Parent } from "../parent.ts";
import { createPruneMetrics, type PruneMetrics } from "../prune/metrics.ts";
import { Pruner } from "../prune/pruner.ts";
import { createUpMetrics, type UpMetrics } from "../../up/metrics.ts";
import { Draining } from "../../up/draining.ts";
import { UpSync } from "../../up/up-sync.ts";
import type { Witness } from "../../up/witness.ts";
import { ContentParent, openContent } from "./content-parent.ts";
import { noConfirmations } from "./no-confirmations.ts";

/** How often the registries of these tests look at their parent, in seconds. */
export const poll = 5;

class MemoryJournal implements SyncJournal {
  writes = 0;
  private entry: JournalEntry = {};

  async read(): Promise<JournalEntry> {
    return this.entry;
  }

  async write(entry: JournalEntry): Promise<void> {
    this.writes += 1;
    this.entry = entry;
  }
}

interface SyncInput {
  readonly repositories?: readonly object[];
  readonly [key: string]: unknown;
}

/** Settings that sync every repository below `apps/`. */
export function settings(sync: SyncInput = {}, more: object = {}): RegistrySettings {
  return parseSettings({
    version: 1,
    name: "edge",
    parent: { loginServer: "parent.example" },
    sync: {
      repositories: [{ name: "apps/*" }],
      pollIntervalSeconds: poll,
      maxPollIntervalSeconds: poll,
      ...sync,
    },
    ...more,
  });
}

class TestSpace implements Space {
  free = Number.POSITIVE_INFINITY;

  demand(bytes: number): void {
    this.expect(bytes);
  }

  expect(bytes: number): void {
    if (bytes > this.free) throw new DiskPressureError("the volume is full");
  }
}

/** A registry that syncs, its parent, and the time. Starts, stops and starts again with what it has stored. */
export class World {
  readonly clock: ManualClock;
  readonly journal = new MemoryJournal();
  readonly metrics = createMetrics();
  readonly live = new LiveConfiguration({ settings: settings(), clientTokens: [] });
  readonly content: RegistryContent;
  readonly draining: Draining;
  /** What the registry's volume has free. */
  readonly space: TestSpace;
  readonly parent: ContentParent;
  /** Makes the connection to the parent, of each start. */
  connect: () => Parent = () => this.parent;
  /** What is told of how fresh tags are. */
  confirmations = noConfirmations;
  /** Knows whether what waits to go up may be from a backup. */
  witness: Pick<Witness, "doubts"> = { doubts: () => false };
  /** Until when the link's quota is used up. */
  linkClosedUntil: DateTime<true> | undefined;
  board: StatusBoard;
  readonly details = new SyncDetails();
  private readonly pruneCounters: PruneMetrics;
  private readonly counters = createSyncMetrics(this.metrics);
  private readonly upCounters: UpMetrics;
  /** What the registry calls when it finds content missing. */
  recover: () => void = () => undefined;
  private running: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;

  private constructor(
    content: RegistryContent,
    parent: ContentParent,
    space: TestSpace,
    draining: Draining,
    clock: ManualClock,
  ) {
    this.clock = clock;
    this.draining = draining;
    this.content = content;
    this.space = space;
    this.parent = parent;
    this.board = this.newBoard();
    this.upCounters = createUpMetrics(this.metrics, () => content.outbox.summary());
    this.pruneCounters = createPruneMetrics(this.metrics, content.pruning);
  }

  static async create(): Promise<World> {
    const clock = new ManualClock();
    const space = new TestSpace();
    const draining = new Draining(() => world.live.current.settings);
    const content = await openContent(clock, { space, goesUp: draining.goesUp });
    const parent = new ContentParent(await openContent(clock));
    const world: World = new World(content, parent, space, draining, clock);
    return world;
  }

  get status(): RegistryStatus {
    return this.board.current;
  }

  start(): void {
    this.board = this.newBoard();
    const engine = new SyncEngine({
      configuration: this.live,
      content: this.content,
      confirmations: this.confirmations,
      connect: () => this.connect(),
      linkClosedUntil: () => this.linkClosedUntil,
      pruner: new Pruner({
        pruning: this.content.pruning,
        metrics: this.pruneCounters,
        tell: (description) => {
          this.board.setFault(
            "Prune",
            description === undefined ? undefined : { code: "HELDBACK", description },
          );
        },
        log: silentLog,
      }),
      up: new UpSync({
        ...{ content: this.content, board: this.board, clock: this.clock, log: silentLog },
        witness: { doubts: (entry) => this.witness.doubts(entry) },
        linkClosedUntil: () => this.linkClosedUntil,
        metrics: this.upCounters,
        random: () => 0,
      }),
      board: this.board,
      details: this.details,
      journal: this.journal,
      metrics: this.counters,
      clock: this.clock,
      random: () => 0,
      log: silentLog,
    });
    this.recover = engine.recover;
    const unfollow = this.draining.follow(this.content.outbox, this.live, this.board);
    const stop = new AbortController();
    this.running = { stop, done: engine.run(stop.signal).finally(unfollow) };
  }

  async stop(): Promise<void> {
    this.running?.stop.abort(new Error("the program stops"));
    await this.running?.done;
    this.running = undefined;
  }

  async close(): Promise<void> {
    this.parent.fault = () => undefined;
    await this.stop();
    await this.content.close();
    await this.parent.content.close();
  }

  configure(next: RegistrySettings): void {
    this.live.replace({ settings: next, clientTokens: [] });
  }

  /** Starts, and waits for the end of the first sync. */
  async startAndSync(): Promise<void> {
    this.start();
    await this.ended();
  }

  /** Lets a poll interval pass, and waits for the end of the sync that it brings. */
  async sync(): Promise<void> {
    await eventually(() => this.clock.sleeping > 0, "a pause");
    await this.clock.advance(seconds(poll));
    await this.ended();
  }

  /** Waits for the end of a sync that ends now. */
  async ended(): Promise<void> {
    const now = this.clock.now().toISO();
    await eventually(() => this.status.sync?.endTime === now, "the end of a sync");
  }

  /** The digest of what `tag` of `name` is here. */
  async here(name: string, text: string): Promise<string> {
    return (await this.content.open(repository(name)).resolve(tag(text))).digest;
  }

  private newBoard(): StatusBoard {
    return new StatusBoard("0.0.0", this.clock, randomUUID);
  }
}
