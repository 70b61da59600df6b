import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Cosign } from "./cosign.ts";
import { type SampleImage, writeSampleImage } from "./images.ts";
import { regctlOf } from "./regctl.ts";
import { Site } from "./site.ts";

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const sbom = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT", name: "hello" };

describe("cosign", () => {
  let site: Site;
  let image: SampleImage;
  let cosign: Cosign;
  /** Somebody else, with another key. */
  let reader: Cosign;

  beforeAll(async () => {
    site = await Site.open();
    image = await writeSampleImage(site.folder, "hello");
    cosign = await Cosign.create(site, site.people.writer);
    reader = await Cosign.create(site, site.people.reader);
  });

  afterAll(() => site.close());

  /** Puts the image there. */
  async function seed(name: string): Promise<string> {
    const repository = `${site.host}/${name}`;
    const regctl = await regctlOf(site, site.people.writer);
    await regctl.run(["image", "copy", `ocidir://${image.layout}:1.0`, `${repository}:1.0`]);
    return repository;
  }

  const signed = (digest: string): object => ({
    critical: { image: { "docker-manifest-digest": digest } },
  });

  test("signs by a bundle that refers to the image, and verifies it", async () => {
    const repository = await seed("apps/signed");
    await expect(cosign.verify(`${repository}:1.0`)).rejects.toThrow("no signatures found");
    await cosign.sign(`${repository}@${image.digest}`);
    expect(await cosign.verify(`${repository}:1.0`)).toMatchObject([signed(image.digest)]);
    expect(await site.referrers("apps/signed", image.digest)).toMatchObject([{ artifactType: bundleType }]);
    // The registry answers for the referrers, so that no tag has to stand in for them.
    expect(await site.tags("apps/signed")).toStrictEqual(["1.0"]);
  });

  test("does not verify by another key", async () => {
    const repository = await seed("apps/foreign");
    await cosign.sign(`${repository}@${image.digest}`);
    await expect(reader.verify(`${repository}:1.0`)).rejects.toThrow(
      /[Ii]nvalid signature|could not verify/u,
    );
  });

  test("signs by a tag, as it did before, and verifies it", async () => {
    const repository = await seed("apps/tagged");
    const platform = image.platforms.amd64;
    await cosign.signByTag(`${repository}@${platform}`);
    expect(await site.tags("apps/tagged")).toStrictEqual(["1.0", `${platform.replace(":", "-")}.sig`]);
    expect(await cosign.verify(`${repository}@${platform}`)).toMatchObject([signed(platform)]);
    await cosign.run(["clean", "--force", `${repository}@${platform}`]);
    await expect(cosign.verify(`${repository}@${platform}`)).rejects.toThrow("no signatures found");
  });

  test("attests a bill of materials beside the signature, and shows both", async () => {
    const repository = await seed("apps/attested");
    const file = join(site.folder, "sbom.json");
    await writeFile(file, JSON.stringify(sbom));
    await cosign.sign(`${repository}@${image.digest}`);
    await cosign.attest(`${repository}@${image.digest}`, "spdxjson", file);
    expect(await cosign.verifyAttestation(`${repository}:1.0`, "spdxjson")).toMatchObject({
      subject: [{ digest: { sha256: image.digest.replace("sha256:", "") } }],
      predicateType: "https://spdx.dev/Document",
      predicate: sbom,
    });
    const referrers = await site.referrers("apps/attested", image.digest);
    expect(referrers).toHaveLength(2);
    const tree = await cosign.run(["tree", `${repository}:1.0`]);
    for (const { digest } of referrers) expect(tree).toContain(digest);
  });

  test("says that a token without the right is denied, and changes nothing", async () => {
    const repository = await seed("apps/kept");
    await cosign.sign(`${repository}@${image.digest}`);
    const before = await site.referrers("apps/kept", image.digest);
    for (const sign of ["sign", "signByTag"] as const) {
      await expect(reader[sign](`${repository}@${image.digest}`)).rejects.toThrow(
        "DENIED: requested access to the resource is denied",
      );
    }
    expect(await site.referrers("apps/kept", image.digest)).toStrictEqual(before);
    expect(await site.tags("apps/kept")).toStrictEqual(["1.0"]);
  });
});
