import { join } from "node:path";
import type { ConflictPolicy, RegistrySettingsInput } from "../../../common/contract/config.ts";
import { milliseconds, systemClock as clock } from "../../../common/clock.ts";
import { FaultLink } from "../../../common/testing/fault-link.ts";
import type { Item } from "../../content/testing/images.ts";
import { complaintsAbout, differences } from "./agreement.ts";
import { attachmentTo, itemsOf } from "./images.ts";
import { lifeOf, repositories, tagName, type Happening, type Side } from "./life.ts";
import { SoakSite } from "./site.ts";

export interface SoakOptions {
  /** The same seed, the same happenings; when each meets the sync is another matter. */
  readonly seed: number;
  /** What comes of a tag that both sides changed. */
  readonly conflict: ConflictPolicy;
  /** How long things happen; agreeing takes a while more. */
  readonly seconds: number;
  /** For the data of both registries. */
  readonly folder: string;
}

/** How often each thing happened. */
export type SoakCounts = Readonly<Record<Happening["do"], number>>;

/** How long both sides may take to agree when the link is good again. */
const patienceMs = 120_000;

/**
 * A parent, an edge and a link between them, to which things happen until the time is over. Then the link heals, and both
 * sides must agree.
 *
 * @throws if the edge serves something that is not complete, or they do not agree
 */
export class Soak {
  private readonly parent: SoakSite;
  private readonly edge: SoakSite;
  private readonly link: FaultLink;
  private readonly options: SoakOptions;
  private readonly images = new Map<string, (readonly Item[])[]>();
  /** Tags that the parent had once: the edge may keep them. */
  private readonly removed = new Set<string>();
  private readonly counts = { push: 0, move: 0, attach: 0, untag: 0, pull: 0, kill: 0, link: 0, cut: 0 };

  private constructor(options: SoakOptions, parent: SoakSite, edge: SoakSite, link: FaultLink) {
    this.options = options;
    this.parent = parent;
    this.edge = edge;
    this.link = link;
  }

  static async run(options: SoakOptions): Promise<SoakCounts> {
    const stops: (() => Promise<void>)[] = [];
    const started = <T extends { stop(): Promise<void> }>(part: T): T => {
      stops.unshift(() => part.stop());
      return part;
    };
    try {
      const parent = started(await SoakSite.create(join(options.folder, "parent"), root));
      const link = started(await FaultLink.start({ host: "127.0.0.1", port: parent.port }));
      const settings = edgeOf(link.host, options.conflict);
      const edge = started(await SoakSite.create(join(options.folder, "edge"), settings));
      const soak = new Soak(options, parent, edge, link);
      await soak.live();
      await soak.agree();
      return soak.counts;
    } finally {
      for (const stop of stops) await stop();
    }
  }

  private async live(): Promise<void> {
    const end = clock.steady() + this.options.seconds * 1000;
    for (const happening of lifeOf(this.options.seed)) {
      if (clock.steady() > end) return;
      await this.let(happening);
      this.counts[happening.do] += 1;
      await clock.sleep(milliseconds(happening.pauseMs));
    }
  }

  private async let(happening: Happening): Promise<void> {
    switch (happening.do) {
      case "push": {
        const { at, repository, tag, image } = happening;
        const items = itemsOf(image);
        await this.site(at).client.push(nameOf(repository), items, tagName(tag));
        const key = `${at} ${repository}`;
        this.images.set(key, [...(this.images.get(key) ?? []), items]);
        return;
      }
      case "move": {
        const { at, repository, tag, image } = happening;
        const known = this.images.get(`${at} ${repository}`) ?? [];
        const items = known[image % known.length];
        if (items !== undefined) await this.site(at).client.push(nameOf(repository), items, tagName(tag));
        return;
      }
      case "attach": {
        const { at, repository, tag, number } = happening;
        const { client } = this.site(at);
        const subject = await client.manifest(nameOf(repository), tagName(tag));
        if (subject !== undefined) await client.attach(nameOf(repository), attachmentTo(subject, number));
        return;
      }
      case "untag": {
        const { at, repository, tag } = happening;
        const removed = await this.site(at).client.untag(nameOf(repository), tagName(tag));
        if (removed) this.removed.add(`${nameOf(repository)}:${tagName(tag)}`);
        return;
      }
      case "pull": {
        const { repository, tag } = happening;
        const pulled = await complaintsAbout(this.edge.client, nameOf(repository), tagName(tag));
        if ((pulled?.complaints.length ?? 0) > 0) throw new Error(pulled?.complaints.join("\n"));
        return;
      }
      case "kill":
        await this.site(happening.at).killAndStart();
        return;
      case "link":
        this.link.set(happening.condition);
        return;
      case "cut":
        this.link.cutAfter(happening.afterBytes);
    }
  }

  private async agree(): Promise<void> {
    this.link.cutAfter(Number.POSITIVE_INFINITY);
    this.link.set({ state: "up", latencyMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY });
    // What has failed often rests for minutes; a person asks for it now.
    await this.edge.configure(this.settings({ resyncRequest: "healed" }));
    const end = clock.steady() + patienceMs;
    const mayKeep = (repository: string, tag: string): boolean => this.removed.has(`${repository}:${tag}`);
    for (;;) {
      const unsent = (await this.edge.status()).up?.pending ?? 0;
      const found = [
        ...(unsent === 0 ? [] : [`${unsent} changes wait to go up`]),
        ...(await differences(this.parent.client, this.edge.client, mayKeep)),
      ];
      if (found.length === 0) return;
      if (clock.steady() > end) {
        const status = JSON.stringify(await this.edge.status());
        throw new Error(`seed ${this.options.seed}: ${found.slice(0, 20).join("\n")}\n${status}`);
      }
      await clock.sleep(milliseconds(1000));
    }
  }

  private settings(more: object): RegistrySettingsInput {
    return edgeOf(this.link.host, this.options.conflict, more);
  }

  private site(side: Side): SoakSite {
    return side === "parent" ? this.parent : this.edge;
  }
}

const root: RegistrySettingsInput = { version: 1, name: "parent", mode: "ReadWrite" };

function edgeOf(parent: string, conflict: ConflictPolicy, more: object = {}): RegistrySettingsInput {
  return {
    version: 1,
    name: "edge",
    mode: "ReadWrite",
    parent: { loginServer: parent, protocol: "http" },
    sync: {
      repositories: [{ name: "**" }],
      conflict,
      pollIntervalSeconds: 1,
      maxPollIntervalSeconds: 1,
      // As quickly and as much as can be: it must take nothing that the parent has.
      prune: { enabled: true, gracePeriodSeconds: 60, recoveryPeriodSeconds: 60, maxPercent: 100 },
      ...more,
    },
  };
}

function nameOf(repository: number): string {
  return repositories[repository % repositories.length] ?? "";
}
