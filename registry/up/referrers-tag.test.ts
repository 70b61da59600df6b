import { hexOf } from "../../common/oci/digest.ts";
import { mediaTypes } from "../../common/oci/mediatype.ts";
import { ManualClock } from "../../common/testing/manual-clock.ts";
import { image, index, item, repository, tag, type Item } from "../content/testing/images.ts";
import { ContentParent, openContent } from "../sync/testing/content-parent.ts";
import { ContentWriter } from "../sync/testing/content-writer.ts";
import { putListed, removeListed, type PutRoute } from "./referrers-tag.ts";

const name = repository("apps/hello");
const config = item("{}", mediaTypes.ociEmpty);
const subject = image(config, []);
const [sbom, signature] = ["text/sbom", "text/signature"].map((artifactType) =>
  image(config, [], { subject: subject.descriptor, artifactType, annotations: { by: artifactType } }),
) as [Item, Item];
const listTag = tag(`sha256-${hexOf(subject.descriptor.digest)}`);

describe("what refers to an image, at a parent that does not list it", () => {
  let parent: ContentParent;
  let asked: string[];
  let fault: (ask: string) => Promise<void>;

  beforeEach(async () => {
    parent = new ContentParent(await openContent(new ManualClock()));
    await parent.put("apps/hello", [config, subject], "v1");
    asked = [];
    fault = async () => undefined;
  });

  afterEach(() => parent.content.close());

  const route = (lists = false): PutRoute => ({
    to: new ContentWriter(
      parent.content,
      name,
      async (ask) => {
        asked.push(ask);
        await fault(ask);
      },
      lists,
    ),
    there: parent.content.open(name),
    signal: new AbortController().signal,
  });

  const put = (which: Item, lists?: boolean): Promise<void> =>
    putListed(which.descriptor.digest, which, undefined, route(lists));

  async function list(): Promise<unknown> {
    const { digest } = await parent.content.open(name).resolve(listTag);
    return JSON.parse(Buffer.from((await parent.content.open(name).manifest(digest)).bytes).toString());
  }

  const entryOf = ({ descriptor }: Item, artifactType: string): object => ({
    ...descriptor,
    ...{ artifactType, annotations: { by: artifactType } },
  });

  test("is put on the list under its tag, each once, and what is on it stays", async () => {
    await put(sbom);
    await put(signature);
    await put(sbom);
    await expect(list()).resolves.toEqual({
      ...{ schemaVersion: 2, mediaType: mediaTypes.ociIndex },
      manifests: [entryOf(sbom, "text/sbom"), entryOf(signature, "text/signature")],
    });
    expect(asked.filter((ask) => ask.includes(listTag))).toHaveLength(2);
  });

  test("is put on no list where the parent has one, or where it refers to nothing", async () => {
    await put(sbom, true);
    await put(image(config, [], { annotations: { plain: "yes" } }));
    await expect(parent.content.open(name).resolve(listTag)).rejects.toThrow("no tag");
  });

  test("T17 two that are put at once are both on it", async () => {
    let first = true;
    fault = async (ask) => {
      if (!ask.endsWith(listTag) || !first) return;
      first = false;
      await put(signature);
    };
    await put(sbom);
    await expect(list()).resolves.toMatchObject({
      manifests: [{ digest: signature.descriptor.digest }, { digest: sbom.descriptor.digest }],
    });
  });

  test("is taken off the list when it is deleted; a list that does not name it, or is not there, stays", async () => {
    await put(sbom);
    await put(signature);
    await removeListed(subject.descriptor.digest, sbom.descriptor.digest, route());
    await removeListed(subject.descriptor.digest, sbom.descriptor.digest, route());
    await expect(list()).resolves.toMatchObject({ manifests: [{ digest: signature.descriptor.digest }] });
    await removeListed(sbom.descriptor.digest, signature.descriptor.digest, route());
    expect(asked.filter((ask) => ask.includes(":sha256-"))).toHaveLength(3);
  });

  test("what is no list is left alone", async () => {
    await parent.put("apps/hello", [config, index([subject], mediaTypes.dockerList)], listTag);
    await expect(put(sbom)).rejects.toThrow("no list");
    expect(await parent.content.open(name).resolve(listTag)).toMatchObject({
      mediaType: mediaTypes.dockerList,
    });
    await expect(parent.content.open(name).exists(sbom.descriptor)).resolves.toBe(true);
  });
});
