import { cannotRunCluster } from "../cluster/can-run.ts";
import { Containerd } from "./containerd.ts";
import { type SampleImage, writeSampleImage } from "./images.ts";
import { contentOf } from "./layout-content.ts";
import { regctlOf } from "./regctl.ts";
import { Site } from "./site.ts";

const cannot = await cannotRunCluster();

/** The story has containerd pull for a kubelet, and fall back to the parent; here it is alone, and pushes too. */
(cannot === undefined ? describe : describe.skip)("containerd", () => {
  let site: Site;
  let image: SampleImage;
  let containerd: Containerd;
  let reference: string;

  beforeAll(async () => {
    site = await Site.open();
    image = await writeSampleImage(site.folder, "hello");
    reference = `${site.host}/apps/hello:1.0`;
    const regctl = await regctlOf(site, site.people.writer);
    await regctl.run(["image", "copy", `ocidir://${image.layout}:1.0`, reference]);
    containerd = await Containerd.start(site);
  });

  afterAll(async () => {
    await containerd.stop();
    await site.close();
  });

  test("pulls an image with its platforms, whole and unchanged, unpacks it, and pushes it elsewhere", async () => {
    const { writer, reader } = site.people;
    await containerd.transfer("pull", reader, "--snapshotter", "native", reference);
    const checked = await containerd.run(["images", "check", "--snapshotter", "native"]);
    expect(checked).toMatch(new RegExp(`${reference} .*${image.digest} .*complete .*true$`, "u"));
    await containerd.transfer("pull", reader, "--all-platforms", "--snapshotter", "native", reference);
    expect(await contentOf(containerd.content)).toStrictEqual(await contentOf(image.layout));

    await containerd.transfer("push", writer, `${site.host}/apps/pushed:1.0`, reference);
    expect((await site.manifest("apps/pushed", "1.0")).digest).toBe(image.digest);
    for (const digest of Object.values(image.platforms)) {
      expect((await site.manifest("apps/pushed", digest)).digest).toBe(digest);
    }
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const { reader } = site.people;
    await containerd.transfer("pull", reader, "--all-platforms", "--snapshotter", "native", reference);
    const pushing = containerd.transfer("push", reader, `${site.host}/apps/hello:2.0`, reference);
    await expect(pushing).rejects.toThrow(/403 Forbidden|denied/u);
    expect(await site.tags("apps/hello")).toStrictEqual(["1.0"]);
  });

  test("says that nobody comes in with a wrong password", async () => {
    const wrong = { name: "writer", password: site.people.reader.password };
    const pulling = containerd.transfer("pull", wrong, "--snapshotter", "native", reference);
    await expect(pulling).rejects.toThrow(/401 Unauthorized|unauthorized/u);
  });
});
