import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { milliseconds, seconds, systemClock } from "../../../common/clock.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { FaultProxy } from "../../../common/testing/fault-proxy.ts";
import type { Fault } from "../../../common/testing/faults.ts";
import { image, item, repository, type Item } from "../../content/testing/images.ts";
import { parentAt, Remotes } from "../../remote/testing/remotes.ts";
import { RegistryProcess } from "../../testing/registry-process.ts";
import { SoakClient } from "../../testing/soak/client.ts";
import { Distribution } from "../../up/testing/distribution.ts";
import { settings, World } from "../testing/world.ts";

const config = item("{}", mediaTypes.ociConfig);
const grace = 3600;
const prune = { enabled: true, gracePeriodSeconds: grace, recoveryPeriodSeconds: 86_400, maxPercent: 50 };
const texts = ["1", "2", "3", "4"];

function imageOf(text: string): Item[] {
  const layer = item(`layer of ${text}`);
  return [config, layer, image(config, [layer], { annotations: { text } })];
}

/** Pruning with parents as they are run, and a proxy that makes them lie; only time is ours. */
describe.each(["CNCF distribution", "another connected registry"])(
  "pruning, with %s as the parent",
  (kind) => {
    let folder: string;
    let port: number;
    const parents = new Remotes();
    let remotes: Remotes;
    let world: World;
    let parent: SoakClient;
    let proxy: FaultProxy;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "prune-"));
      port = await (kind === "CNCF distribution" ? distribution() : ours());
    }, 600_000);

    afterAll(async () => {
      await parents.stop();
      await rm(folder, { recursive: true });
    });

    beforeEach(async () => {
      remotes = new Remotes();
      parent = new SoakClient(port);
      for (const text of texts) await parent.push("apps/hello", imageOf(text), text);
      await parent.push("apps/other", imageOf("other"), "1");
      proxy = remotes.stopLater(await FaultProxy.start(`http://127.0.0.1:${port}`));
      world = await World.create();
      const at = parentAt({ host: new URL(proxy.origin).host, origin: proxy.origin });
      // What is tried again is, at once.
      const clock = { ...systemClock, sleep: () => systemClock.sleep(milliseconds(5)) };
      world.connect = () => remotes.connect(at, { clock });
      world.configure(settings({ prune }));
      await world.startAndSync();
      await after(10);
    });

    afterEach(async () => {
      await world.close();
      await remotes.stop();
    });

    async function distribution(): Promise<number> {
      const started = await Distribution.start(join(folder, "parent"), { delete: true });
      return parents.stopLater(started).end.port;
    }

    async function ours(): Promise<number> {
      const started = parents.stopLater(
        new RegistryProcess([
          ...["--listen", "127.0.0.1:0", "--probes", "127.0.0.1:0", "--http", "--anonymous", "write"],
          ...["--data", join(folder, "parent"), "--delete", "on"],
        ]),
      );
      return Number(new URL(await started.url()).port);
    }

    const here = (name = "apps/hello"): Promise<readonly string[]> =>
      world.content.open(repository(name)).tagPage({ limit: 99 });
    /** Lets time pass without a sync, and then syncs once. */
    async function after(duration: number): Promise<void> {
      await world.stop();
      await world.clock.advance(seconds(duration));
      world.start();
      await world.ended();
    }
    /** As often, and for as long, as it takes for something that is missing to go. */
    async function longEnough(): Promise<void> {
      await after(10);
      await after(grace + 10);
      await after(10);
    }

    test("T12 T24 what was deleted there goes here in its time, and comes back without a byte", async () => {
      await parent.untag("apps/hello", "1");
      await after(10);
      await expect(here()).resolves.toEqual(texts);
      await after(grace + 10);
      await expect(here()).resolves.toEqual(["2", "3", "4"]);
      await expect(here("apps/other")).resolves.toEqual(["1"]);
      expect(world.content.pruning.pruned(9)).toMatchObject([{ repository: "apps/hello", tag: "1" }]);
      await parent.push("apps/hello", imageOf("1"), "1");
      const before = proxy.seen.length;
      await after(10);
      await expect(here()).resolves.toEqual(texts);
      const asked = proxy.seen.slice(before).filter(({ method }) => method === "GET");
      expect(asked.filter(({ url }) => url.includes("/blobs/"))).toEqual([]);
    });

    test.each<{ because: string; of: RegExp; fault: Fault }>([
      ...[401, 403, 404, 500].flatMap((status) => [
        { because: `it answers ${status}`, of: /\/tags\/list/, fault: { kind: "answer", status } as const },
        {
          because: `its catalog answers ${status}`,
          of: /_catalog/,
          fault: { kind: "answer", status } as const,
        },
      ]),
      { because: "its list is empty", of: /\/tags\/list/, fault: listing("[]") },
      { because: "its list is null", of: /\/tags\/list/, fault: listing("null") },
      { because: "its catalog is empty", of: /_catalog/, fault: json('{"repositories":[]}') },
      { because: "its list is no list", of: /\/tags\/list/, fault: json("<html>please log in</html>") },
      { because: "its list is cut short", of: /\/tags\/list/, fault: { kind: "truncate", after: 20 } },
      { because: "its list is cut off", of: /\/tags\/list/, fault: { kind: "cut", after: 20 } },
      {
        because: "there are more pages, and they do not come",
        of: /\/tags\/list/,
        fault: json('{"name":"apps/hello","tags":["2"]}', { link: '</v2/apps/hello/gone>; rel="next"' }),
      },
      { because: "it has no tag any more", of: /\/manifests\/\d/, fault: { kind: "answer", status: 404 } },
    ])("T19 nothing goes when $because", async ({ of, fault }) => {
      // So that it is not the cap that keeps them.
      world.configure(settings({ prune: { ...prune, maxPercent: 100 } }));
      proxy.use(({ url }) => (of.test(url) ? fault : undefined));
      await longEnough();
      proxy.use(() => undefined);
      await expect(here()).resolves.toEqual(texts);
      await expect(here("apps/other")).resolves.toEqual(["1"]);
      await after(10);
      expect(world.content.pruning.count()).toEqual({ missing: 0, pruned: 0 });
    });

    test("T19 more than may go is held back, and told", async () => {
      for (const text of ["1", "2", "3"]) await parent.untag("apps/hello", text);
      await longEnough();
      await expect(here()).resolves.toEqual(texts);
      expect(world.status.statusDetails).toMatchObject([{ type: "Prune", code: "HELDBACK" }]);
    });
  },
);

function json(body: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return {
    kind: "answer",
    status: 200,
    headers: { "content-type": "application/json", ...headers },
    body,
  };
}

function listing(tags: string): Fault {
  return json(`{"name":"apps/hello","tags":${tags}}`);
}
