import { digestOf } from "../../common/oci/digest.ts";
import { maxDescriptors, parseManifest } from "../../common/oci/manifest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { MetadataDatabase } from "./metadata-database.ts";
import { SqliteMetadata } from "./metadata-sqlite.ts";
import { Outbox } from "./outbox/outbox.ts";
import { image, index, item, repository, tag, type Item } from "./testing/images.ts";

const clock = new ManualClock();
const a = repository("team/a");
const config = item("{}", "application/vnd.oci.image.config.v1+json");

/** `target`, but that `told` learns the first argument of each call of a method. */
function watched<T extends object>(target: T, told: (first: unknown) => unknown): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...values: unknown[]): unknown => {
        told(values[0]);
        return Reflect.apply(value as (...all: unknown[]) => unknown, target, values);
      };
    },
  });
}

describe("the metadata of very large things", () => {
  const asked: string[] = [];
  let database: MetadataDatabase;
  let metadata: SqliteMetadata;

  beforeEach(async () => {
    database = await MetadataDatabase.open(":memory:", clock);
    const statements = watched(database.statements, (sql) => asked.push(String(sql)));
    const spied = Object.create(database, { statements: { value: statements } }) as MetadataDatabase;
    metadata = new SqliteMetadata(spied, clock, new Outbox(database, clock, () => true).table);
    await metadata.linkBlob(a, config.descriptor.digest, config.bytes.length);
  });

  afterEach(() => database.close());

  const put = ({ descriptor, bytes }: Item): Promise<void> => {
    const manifest = parseManifest(bytes, descriptor.mediaType);
    return metadata.putManifest(a, { descriptor, bytes, manifest, sparse: [], tags: [] });
  };
  const count = (table: string): unknown => database.statements.row(`SELECT count(*) AS n FROM ${table}`)?.n;

  /** What `work` asks the database: each statement costs main-thread time. */
  async function statementsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
    const before = asked.length;
    await work();
    return asked.slice(before);
  }

  test("S03 take in an image of many layers, and an index of many images, in few statements", async () => {
    const layers = Array.from({ length: 2_000 }, (_, n) => item(`layer ${n}`));
    for (const { descriptor } of layers) await metadata.linkBlob(a, descriptor.digest, descriptor.size);
    expect((await statementsOf(() => put(image(config, layers)))).length).toBeLessThan(15);
    expect(count("manifest_blobs")).toBe(2_001);
    const images = layers.slice(0, 500).map((layer) => image(config, [layer]));
    for (const each of images) await put(each);
    const many = index(images);
    expect((await statementsOf(() => put(many))).length).toBeLessThan(15);
    expect(count("manifest_children WHERE sparse = 0")).toBe(500);
    await metadata.deleteManifest(a, many.descriptor.digest);
    expect(count("manifest_children")).toBe(0);
  });

  test("S03 of a manifest that names more than anybody needs, are refused before anything is looked up", () => {
    const layers = Array.from({ length: maxDescriptors + 1 }, () => config);
    const { bytes, descriptor } = image(config, layers);
    expect(() => parseManifest(bytes, descriptor.mediaType)).toThrow(/names at most/);
  });

  test("are deleted in steps where a manifest has very many tags, and other changes come between", async () => {
    const one = image(config, []);
    await put(one);
    await database.change(() =>
      database.statements.run(
        `INSERT INTO tags (repository, name, manifest, updated_at)
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000)
         SELECT 1, 'v' || n, (SELECT max(id) FROM manifests), 0 FROM n`,
      ),
    );
    const seen: unknown[] = [];
    const deleted = metadata.deleteManifest(a, one.descriptor.digest);
    for (let n = 0; n < 2; n++) {
      await metadata.linkBlob(a, digestOf(String(n)), 1);
      seen.push(count("tags"));
    }
    await expect(deleted).resolves.toBe(true);
    expect(seen[0]).toBeGreaterThan(0);
    expect([count("tags"), count("manifests")]).toEqual([0, 0]);
  });

  test("stay whole where one of very many tags is locked", async () => {
    const one = image(config, []);
    await put(one);
    await database.change(() =>
      database.statements.run(
        `INSERT INTO tags (repository, name, manifest, updated_at, locks)
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6000)
         SELECT 1, 'v' || n, (SELECT max(id) FROM manifests), 0, n = 6000 FROM n`,
      ),
    );
    await expect(metadata.deleteManifest(a, one.descriptor.digest)).rejects.toMatchObject({
      name: "ContentLockedError",
    });
    expect(count("tags")).toBe(6_000);
  });

  test("S03 are listed without reading more referrers than a page may have", async () => {
    const subject = image(config, []).descriptor;
    const text = "x".repeat(1_500_000);
    for (const letter of ["a", "b", "c", "d"]) {
      await put(image(config, [], { subject, annotations: { letter, text } }));
    }
    await expect(metadata.referrers(a, subject.digest, { limit: 1 })).resolves.toHaveLength(1);
    const used = await statementsOf(async () => {
      await expect(metadata.referrers(a, subject.digest, { limit: 1000 })).resolves.toHaveLength(1);
    });
    // The list, and the one referrer that is shown.
    expect(used).toHaveLength(2);
  });

  test("of one manifest never make all manifests of the repository be read", async () => {
    const one = image(config, []);
    const used = await statementsOf(async () => {
      await put(one);
      await put(index([one]));
      await metadata.tag(a, one.descriptor.digest, tag("v1"));
      await metadata.resolve(a, tag("v1"));
      await metadata.manifest(a, one.descriptor.digest);
      await metadata.untag(a, tag("v1"));
      await metadata.deleteManifest(a, one.descriptor.digest);
    });
    for (const sql of new Set(used)) {
      for (const { detail } of database.statements.rows(`EXPLAIN QUERY PLAN ${sql}`)) {
        expect(detail).not.toMatch(
          /SCAN (?!named|json_each|CONSTANT|tags USING INDEX tags_locked)|manifests USING .*\(repository=\?\)$/,
        );
      }
    }
  });

  test("name each of two platforms of one image once", async () => {
    const one = image(config, []);
    await put(one);
    await put(index([one, one], mediaTypes.dockerList));
    expect(count("manifest_children")).toBe(1);
    await metadata.tag(a, one.descriptor.digest, tag("v1"));
  });
});
