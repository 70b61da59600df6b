import fc from "fast-check";
import type { Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { RegistryContent } from "./content.ts";
import type { ContentRepository } from "./repository.ts";
import { likeTheModel, type MortalStore } from "./testing/commands.ts";
import { Scratch } from "./testing/scratch.ts";
import { storeInMemory, storeOnDisk } from "./testing/stores.ts";

/** A store in memory of which each repository has methods that do not what they should. */
function storeWith(wrong: (target: ContentRepository, content: RegistryContent) => object): MortalStore {
  return {
    ...storeInMemory,
    open: async (performer) => {
      const content = await storeInMemory.open(performer);
      const open = (name: RepositoryName): ContentRepository => {
        const target = content.open(name);
        return instead(target, wrong(target, content));
      };
      return instead(content, { open });
    },
  };
}

function instead<T extends object>(target: T, methods: object): T {
  return new Proxy(target, {
    get: (all, key) => Reflect.get(key in methods ? methods : all, key) as unknown,
  });
}

const brokenStores: readonly { what: string; store: MortalStore }[] = [
  {
    what: "keeps a tag that was removed",
    store: storeWith((target) => ({ untag: (tag: Tag) => target.resolve(tag).then(() => undefined) })),
  },
  {
    what: "does not keep what it mounts",
    store: storeWith((_, content) => ({
      mountBlob: async (digest: Digest, from: RepositoryName) =>
        (await content.open(from).blobSize(digest)) !== undefined,
    })),
  },
  {
    what: "has nothing after a crash",
    store: {
      ...storeInMemory,
      crash: async (content, performer) => {
        await content.close();
        return storeInMemory.open(performer);
      },
    },
  },
];

/** Always the same here; the long suite tries more. */
const quick = { seed: 4, numRuns: 6 };

describe("whatever clients do, crashes and collections of garbage included, the store does what the model does", () => {
  const scratch = new Scratch();

  afterAll(() => scratch.clear());

  test("on a disk", async () => {
    const lives = likeTheModel(async () => storeOnDisk(await scratch.inMemory()));
    await expect(fc.assert(lives, quick)).resolves.toBeUndefined();
  }, 60_000);

  test("in memory", async () => {
    const lives = likeTheModel(async () => storeInMemory);
    await expect(fc.assert(lives, quick)).resolves.toBeUndefined();
  }, 60_000);

  test.each(brokenStores)(
    "a store that $what is found out, by a short example",
    async ({ store }) => {
      const found = await fc.check(
        likeTheModel(async () => store),
        { seed: 4, numRuns: 50 },
      );
      expect(found.failed).toBe(true);
      const [, example] = /^Counterexample: (.*)$/m.exec(fc.defaultReportMessage(found) ?? "") ?? [];
      expect(example?.match(/\[\{|look|crash/g)?.length).toBeLessThanOrEqual(3);
    },
    60_000,
  );
});
