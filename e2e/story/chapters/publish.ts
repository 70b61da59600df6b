import type { Chapter, World } from "../world.ts";
import { check } from "../world.ts";

/** Images of several platforms and layers, one of them large, and a referrer, pushed by a client that is not ours. */
export const publish: Chapter = {
  title: "Headquarters pushes images to the parent registry",
  async run(world, say) {
    for (const image of world.images.initial) {
      say(`${image.repository}:${image.tag}`);
      await world.headquarters.push(image.layout, atParent(world, `${image.repository}:${image.tag}`));
      const seen = await world.headquarters.digest(atParent(world, `${image.repository}:${image.tag}`));
      check(seen === image.digest, `digest ${image.digest} at the parent`, seen);
    }
    const { sbom } = world.images;
    say(`the SBOM of ${sbom.repository}`);
    await world.headquarters.push(sbom.layout, atParent(world, `${sbom.repository}@${sbom.digest}`));
  },
};

/** The reference of an image at the parent, as headquarters reaches it. */
export function atParent(world: World, image: string): string {
  return `${world.parent.hostAddress}/${image}`;
}
