import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seconds } from "../common/clock.ts";
import type { ClusterApi } from "../common/cluster/api.ts";
import { eventually } from "../common/testing/eventually.ts";
import { ManualClock } from "../common/testing/manual-clock.ts";
import { silentLog } from "../common/testing/silent-log.ts";
import { CertsFolder, type CertsReport } from "./certs-folder.ts";
import { NodeTrust } from "./node-trust.ts";

const list = (...hosts: string[]) => ({
  data: { "edge.a": JSON.stringify({ version: 1, hosts, server: "https://10.0.0.1", ca: "ca" }) },
});

/** One ConfigMap that a test changes by hand. */
class OneObject implements Pick<ClusterApi, "follow"> {
  private readonly states: unknown[] = [];
  private wake = Promise.withResolvers<true>();

  become(state: unknown): void {
    this.states.push(state);
    this.wake.resolve(true);
  }

  async *follow<T>(_path: string, _name: string, signal: AbortSignal): AsyncGenerator<T | undefined> {
    const aborted = new Promise<false>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve(false);
      });
    });
    do {
      while (this.states.length > 0) yield this.states.shift() as T | undefined;
      this.wake = Promise.withResolvers();
    } while (await Promise.race([this.wake.promise, aborted]));
  }
}

describe("NodeTrust", () => {
  let root: string;
  let configMap: OneObject;
  let clock: ManualClock;
  let reports: CertsReport[];
  let trust: NodeTrust;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "node-trust-"));
    configMap = new OneObject();
    clock = new ManualClock();
    reports = [];
    stop = new AbortController();
    trust = new NodeTrust(
      configMap,
      { namespace: "system", configMap: "trust" },
      new CertsFolder(root),
      clock,
      silentLog,
      (_hosts, report) => reports.push(report),
    );
    running = trust.run(stop.signal);
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await rm(root, { recursive: true, force: true });
  });

  const reconciled = (times: number): Promise<void> =>
    eventually(() => reports.length >= times, "a reconcile");

  test("is ready once the node is in line with the list", async () => {
    expect(trust.ready()).toBe(false);
    configMap.become(list("a.example"));
    await reconciled(1);
    expect(trust.ready()).toBe(true);
    expect(await readdir(root)).toEqual(["a.example"]);
  });

  test("is ready without a list too: the operator makes it when there is something to trust", async () => {
    configMap.become(undefined);
    await eventually(() => trust.ready());
    expect(await readdir(root)).toEqual([]);
  });

  test("follows the list at once", async () => {
    configMap.become(list("a.example"));
    await reconciled(1);
    configMap.become(list("b.example"));
    await reconciled(2);
    expect(await readdir(root)).toEqual(["b.example"]);
  });

  test("removes everything of ours when the list is empty", async () => {
    configMap.become(list("a.example"));
    await reconciled(1);
    configMap.become({});
    await reconciled(2);
    expect(await readdir(root)).toEqual([]);
  });

  test("leaves the node as it is while there is no list: lost is not empty", async () => {
    configMap.become(list("a.example"));
    await reconciled(1);
    configMap.become(undefined);
    await eventually(() => clock.sleeping > 0);
    await clock.advance(seconds(30));
    await reconciled(2);
    expect(await readdir(root)).toEqual(["a.example"]);
  });

  test("puts right what somebody removed", async () => {
    configMap.become(list("a.example"));
    await reconciled(1);
    await rm(join(root, "a.example"), { recursive: true });
    await eventually(() => clock.sleeping > 0);
    await clock.advance(seconds(30));
    await reconciled(2);
    expect(await readdir(root)).toEqual(["a.example"]);
  });

  test("tries again what failed", async () => {
    await rm(root, { recursive: true });
    configMap.become(list("a.example"));
    await eventually(() => clock.sleeping > 0);
    expect(trust.ready()).toBe(false);
    await mkdir(root);
    await eventually(() => clock.sleeping > 0);
    await clock.advance(seconds(30));
    await reconciled(1);
    expect(trust.ready()).toBe(true);
  });
});
