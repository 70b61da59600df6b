import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { TestAuthority } from "../../common/testing/certificates.ts";
import { ScriptedServer, type Script } from "../../common/testing/scripted-http.ts";
import { freePort } from "../cluster/free-port.ts";
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

  /** What nodes do of an endpoint that does not serve them, by the file that the agent writes and people add to. */
  describe("T55 with a mirror before the registry", () => {
    const stops: (() => Promise<void> | void)[] = [];

    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop();
    });

    async function answering(script: Script): Promise<string> {
      const authority = await TestAuthority.create();
      const server = await ScriptedServer.start(script, await authority.issue(["127.0.0.1"]));
      stops.push(() => server.stop());
      return server.origin;
    }

    async function listening(take: (socket: Socket) => void): Promise<string> {
      const server = createServer(take).listen(0, "127.0.0.1");
      await once(server, "listening");
      stops.push(() => void server.close());
      return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }

    test.each([
      { name: "down", start: async () => `https://127.0.0.1:${await freePort("127.0.0.1")}`, within: 5 },
      {
        name: "refusing with 503",
        start: () => answering((_, response) => response.writeHead(503).end()),
        within: 20,
      },
      {
        name: "without the image (404)",
        start: () => answering((_, response) => response.writeHead(404).end()),
        within: 5,
      },
      { name: "hanging up", start: () => listening((socket) => socket.destroy()), within: 20 },
      {
        name: "taking the connection and saying nothing",
        start: () => listening((socket) => void stops.push(() => void socket.destroy())),
        // Ten seconds for each request of the pull: for the handshake that does not come.
        within: 100,
      },
    ])(
      "that is $name: the pull goes on to the registry, within $within s",
      async ({ name, start, within }) => {
        const sample = await writeSampleImage(site.folder, `with-mirror-${name.replace(/\W+/g, "-")}`);
        const target = `${site.host}/apps/${name.toLowerCase().replace(/\W+/g, "-")}x:1.0`;
        const regctl = await regctlOf(site, site.people.writer);
        await regctl.run(["image", "copy", `ocidir://${sample.layout}:1.0`, target]);
        await containerd.askFirst(await start());
        const begun = performance.now();
        await containerd.transfer("pull", site.people.reader, "--snapshotter", "native", target);
        expect(performance.now() - begun).toBeLessThan(within * 1000);
        expect(await containerd.run(["images", "check", "--snapshotter", "native"])).toContain(sample.digest);
      },
    );
  });
});
