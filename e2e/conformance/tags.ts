import { repository, tag } from "../../registry/content/testing/images.ts";
import type { Answer } from "../../registry/http/testing/loopback.ts";
import type { Section } from "./requirement.ts";
import { name, nextOf, otherName, read, type Subject } from "./subject.ts";

const names = ["1.0", "1.0-rc", "10", "2", "B", "_x", "a"];
const sorted = [...names, "all", "v1"].sort();

/** By the side door, since both modes list. */
async function tagAll(registry: Subject): Promise<void> {
  const target = registry.loopback.content.open(repository(name));
  for (const each of names) await target.tag(registry.image.descriptor, tag(each));
}

const tagsOf = (answer: Answer): readonly string[] => (read(answer) as { tags: string[] }).tags;

export const tags: Section = {
  title: "Listing Tags",
  requirements: [
    {
      id: "tags",
      level: "MUST",
      kind: "read",
      says: "The list of tags is JSON with the repository's name and its tags in ASCIIbetical order.",
      async check(registry) {
        await tagAll(registry);
        const answer = await registry.send("GET", "tags/list");
        expect(answer.status).toBe(200);
        expect(answer.headers["content-type"]).toMatch(/^application\/json/);
        expect(read(answer)).toEqual({ name, tags: sorted });
        expect(answer.headers.link).toBeUndefined();
      },
    },
    {
      id: "tags-empty",
      level: "MUST",
      kind: "read",
      says: "The list of a repository without tags is there, and empty.",
      async check(registry) {
        const target = registry.loopback.content.open(repository(name));
        for (const each of ["all", "v1"]) await target.untag(tag(each));
        expect(read(await registry.send("GET", "tags/list"))).toEqual({ name, tags: [] });
      },
    },
    {
      id: "tags-unknown",
      level: "MUST",
      kind: "read",
      says: "The list of a repository that is not there is 404.",
      async check(registry) {
        const answer = await registry.send("GET", "/v2/nobody/tags/list");
        expect(answer).toMatchObject({ status: 404, codes: ["NAME_UNKNOWN"] });
      },
    },
    {
      id: "tags-n",
      level: "MUST",
      kind: "read",
      says: "n bounds the list: the first n tags, or all if there are fewer; n=0 is an empty list without Link.",
      async check(registry) {
        await tagAll(registry);
        expect(tagsOf(await registry.send("GET", "tags/list?n=3"))).toEqual(sorted.slice(0, 3));
        expect(tagsOf(await registry.send("GET", "tags/list?n=100"))).toEqual(sorted);
        const none = await registry.send("GET", "tags/list?n=0");
        expect(tagsOf(none)).toEqual([]);
        expect(none.headers.link).toBeUndefined();
      },
    },
    {
      id: "tags-last",
      level: "MUST",
      kind: "read",
      says: "last gives what comes behind a name, without it, also if there is no such tag; n is not needed then.",
      async check(registry) {
        await tagAll(registry);
        const [first = "", second = ""] = sorted;
        const behind = await registry.send("GET", `tags/list?n=2&last=${second}`);
        expect(tagsOf(behind)).toEqual(sorted.slice(2, 4));
        expect(tagsOf(await registry.send("GET", `tags/list?last=${first}`))).toEqual(sorted.slice(1));
        expect(tagsOf(await registry.send("GET", "tags/list?last=nobody"))).toEqual(["v1"]);
        expect(tagsOf(await registry.send("GET", "tags/list?last=zzz"))).toEqual([]);
      },
    },
    {
      id: "tags-link",
      level: "MAY",
      kind: "read",
      says: 'Link with rel="next" leads through all pages to all tags, each once.',
      async check(registry) {
        await tagAll(registry);
        const found: string[] = [];
        for (let path: string | undefined = "tags/list?n=2"; path !== undefined;) {
          const answer = await registry.send("GET", path);
          found.push(...tagsOf(answer));
          path = nextOf(answer);
        }
        expect(found).toEqual(sorted);
      },
    },
  ],
};

export const catalog: Section = {
  title: "Listing Repositories",
  requirements: [
    {
      id: "catalog",
      level: "MAY",
      kind: "read",
      says: "The catalog lists the repositories that have content, in pages as tags are.",
      async check(registry) {
        const other = registry.loopback.content.open(repository(otherName));
        for (const each of [registry.config, registry.layer]) {
          await other.mountBlob(each.descriptor.digest, repository(name));
        }
        await other.putManifest(registry.image.bytes, registry.image.descriptor.mediaType, { tags: [] });
        expect(read(await registry.send("GET", "/v2/_catalog"))).toEqual({
          repositories: [name, otherName],
        });
        const first = await registry.send("GET", "/v2/_catalog?n=1");
        expect(read(first)).toEqual({ repositories: [name] });
        const next = nextOf(first) ?? "";
        expect(read(await registry.send("GET", next))).toEqual({ repositories: [otherName] });
      },
    },
  ],
};
