import type { Duration } from "luxon";
import { seconds, type Clock } from "../common/clock.ts";
import type { ClusterApi } from "../common/cluster/api.ts";
import type { Logger } from "../common/log.ts";
import type { Service } from "../common/service.ts";
import type { CertsFolder, CertsReport } from "./certs-folder.ts";
import { desiredHosts, type DesiredHosts } from "./hosts.ts";
import { TrustLists, type TrustSource } from "./trust-lists.ts";

/** How soon we put right what somebody else changed on the node, and try again what failed. */
const again: Duration = seconds(30);

/**
 * Keeps a node's container runtime trusting the registries that the operator lists, and no others of ours.
 *
 * While a list is not there, everything stays as it is: a list that is lost is not an empty list.
 */
export class NodeTrust implements Service {
  readonly name = "node trust";
  private readonly api: Pick<ClusterApi, "follow">;
  private readonly source: TrustSource;
  private readonly folder: CertsFolder;
  private readonly clock: Clock;
  private readonly log: Logger;
  private readonly observe: (hosts: number, report: CertsReport) => void;
  private desired: DesiredHosts | undefined;
  private changed = Promise.withResolvers<undefined>();
  private foreign = "";
  private done = false;

  /** @param observe told of every reconcile that succeeded: how many hosts are listed, and what was done */
  constructor(
    api: Pick<ClusterApi, "follow">,
    source: TrustSource,
    folder: CertsFolder,
    clock: Clock,
    log: Logger,
    observe: (hosts: number, report: CertsReport) => void,
  ) {
    this.api = api;
    this.source = source;
    this.folder = folder;
    this.clock = clock;
    this.log = log;
    this.observe = observe;
  }

  /** Once there was no list, or the node has been brought in line with it. */
  ready(): boolean {
    return this.done;
  }

  async run(signal: AbortSignal): Promise<void> {
    const lists = new TrustLists(this.api, this.source);
    await Promise.all([
      lists.run(signal, (entries) => {
        this.accept(entries);
      }),
      this.work(signal),
    ]);
  }

  private accept(entries: Readonly<Record<string, string>> | undefined): void {
    if (entries === undefined) {
      this.log.warn("there is no list of registries, leaving the node as it is", { ...this.source });
      this.done = true;
      return;
    }
    this.desired = desiredHosts(entries);
    for (const problem of this.desired.problems) this.log.warn("a registry is left out", { problem });
    this.changed.resolve(undefined);
  }

  private async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.changed = Promise.withResolvers();
      await this.reconcile();
      const wait = new AbortController();
      const pause = this.clock.sleep(again, AbortSignal.any([signal, wait.signal])).catch(() => undefined);
      await Promise.race([this.changed.promise, pause]);
      wait.abort();
    }
  }

  private async reconcile(): Promise<void> {
    if (this.desired === undefined) return;
    const { hosts } = this.desired;
    try {
      const report = await this.folder.reconcile(hosts);
      this.done = true;
      this.tell(report);
      this.observe(hosts.size, report);
    } catch (error) {
      this.log.error("cannot write the node's registry configuration, trying again", { error });
    }
  }

  /** Only what is news: a folder in the way is found again at every reconcile. */
  private tell({ written, removed, foreign }: CertsReport): void {
    if (written.length + removed.length > 0)
      this.log.info("changed what this node trusts", { written, removed });
    const found = foreign.join(", ");
    if (found !== this.foreign && found !== "") {
      this.log.warn("somebody else has configured these hosts, leaving them alone", { hosts: found });
    }
    this.foreign = found;
  }
}
