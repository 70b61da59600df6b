import { randomUUID } from "node:crypto";
import { hashPassword } from "../../common/contract/password.ts";
import { parseSettings } from "../../common/contract/config.ts";
import { eventually } from "../../common/testing/eventually.ts";
import { openMemoryContent, type RegistryContent } from "../content/content.ts";
import { image, item, repository, streamOf, tag, type Item } from "../content/testing/images.ts";
import { Turns } from "../content/turns.ts";
import { openLoopback, type Loopback } from "../http/testing/loopback.ts";
import { openGate } from "../link/testing/open-gate.ts";
import { RemoteRegistry } from "../remote/registry.ts";
import { PartSize } from "./send-blob.ts";
import { sendEntry, type EntryRoute } from "./send-entry.ts";

const name = repository("apps/hello");
const config = item("{}");
const [one, two] = ["one", "two"].map((text) => image(config, [], { annotations: { text } })) as [Item, Item];

/** Another connected registry as the parent, over HTTP, with its token service and its rights. */
describe("up to another of ours", () => {
  let parent: Loopback;
  let here: RegistryContent;
  let remote: RemoteRegistry;

  async function open(...actions: string[]): Promise<void> {
    parent = await openLoopback("none");
    const salt = "00".repeat(16);
    const hash = hashPassword("correct horse", salt);
    const password = { name: "password1", algorithm: "sha256", salt, hash } as const;
    parent.tokens.replace([
      {
        ...{ version: 1, name: "edge", status: "enabled", passwords: [password] },
        actions: actions.map((action) => `repositories/apps/*/${action}`),
      },
    ]);
    const { clock } = parent;
    here = await openMemoryContent({ clock, newId: randomUUID, quota: () => undefined, goesUp: () => true });
    const settings = parseSettings({
      version: 1,
      name: "edge",
      parent: {
        loginServer: `127.0.0.1:${parent.port}`,
        protocol: "http",
        credentials: { username: "edge", password: "correct horse" },
      },
    });
    const observer = { requested: () => undefined, received: () => undefined };
    remote = new RemoteRegistry(settings.parent!, {
      clock,
      random: () => 0,
      observer,
      gate: openGate,
      attempts: 1,
    });
  }

  afterEach(async () => {
    remote.close();
    await here.close();
    await parent.close();
  });

  async function push(which: Item, text: string): Promise<void> {
    await here.open(name).push(config.descriptor, streamOf(config));
    await here.open(name).putManifest(which.bytes, which.descriptor.mediaType, { tags: [tag(text)] });
  }

  const route = (): EntryRoute => ({
    from: here.open(name),
    to: remote.writer(name),
    there: remote.open(name),
    holder: async () => undefined,
    turns: new Turns(),
    width: 2,
    uploads: here.outbox.uploads,
    parts: new PartSize(),
    sent: () => undefined,
    outbox: here.outbox,
    policy: "parentWins",
    registry: "edge",
    doubts: () => false,
    signal: new AbortController().signal,
  });

  async function sendAll(): Promise<unknown[]> {
    const results: unknown[] = [];
    for (
      let entry = await here.outbox.next(0);
      entry !== undefined;
      entry = await here.outbox.next(entry.id)
    ) {
      results.push((await sendEntry(entry, route())).kind);
    }
    return results;
  }

  const there = (text: string): Promise<{ readonly digest: string }> =>
    parent.content.open(name).resolve(tag(text));

  test("pushes, moves and deletes with the rights that it has", async () => {
    await open("content/read", "content/write", "content/delete", "metadata/read");
    await push(one, "v1");
    await expect(sendAll()).resolves.toEqual(["sent"]);
    await expect(there("v1")).resolves.toMatchObject({ digest: one.descriptor.digest });
    await push(two, "v1");
    await expect(sendAll()).resolves.toEqual(["sent"]);
    await expect(there("v1")).resolves.toMatchObject({ digest: two.descriptor.digest });
    await here.open(name).untag(tag("v1"));
    await here.open(name).deleteManifest(one.descriptor.digest);
    await expect(sendAll()).resolves.toEqual(["sent", "sent"]);
    await expect(there("v1")).rejects.toThrow("no tag");
    await expect(parent.content.open(name).exists(one.descriptor)).resolves.toBe(false);
  });

  test("without the right to write, nothing is there and the answer says so", async () => {
    await open("content/read", "metadata/read");
    await push(one, "v1");
    await expect(sendAll()).rejects.toMatchObject({ name: "DeniedError" });
  });

  test("the tag that somebody moves between the look and the push is a conflict, not lost", async () => {
    await open("content/read", "content/write", "metadata/read");
    await push(one, "v1");
    const slow = route();
    const resolve = slow.there.resolve.bind(slow.there);
    let looked = 0;
    const race = async (wanted: Parameters<typeof resolve>[0]): ReturnType<typeof resolve> => {
      looked += 1;
      try {
        return await resolve(wanted);
      } finally {
        if (looked === 2) {
          const other = parent.content.open(name);
          await other.push(config.descriptor, streamOf(config));
          await other.putManifest(two.bytes, two.descriptor.mediaType, { tags: [tag("v1")] });
        }
      }
    };
    const raced = {
      ...slow,
      there: Object.assign(Object.create(slow.there) as typeof slow.there, { resolve: race }),
    };
    const entry = (await here.outbox.next(0))!;
    await expect(sendEntry(entry, raced)).resolves.toMatchObject({
      kind: "conflict",
      conflict: { theirs: two.descriptor.digest, settled: "parentWins" },
    });
    await expect(there("v1")).resolves.toMatchObject({ digest: two.descriptor.digest });
    await eventually(() => here.outbox.summary().entries === 0);
  });
});
