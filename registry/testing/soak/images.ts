import fc from "fast-check";
import { parseDigest } from "../../../common/oci/digest.ts";
import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { families, image, index, item, type Item } from "../../content/testing/images.ts";
import type { Served } from "./client.ts";

/** What an image is made of, as a few numbers. */
export interface ImagePlan {
  readonly family: 0 | 1;
  /** Several are an index. */
  readonly children: readonly (readonly LayerPlan[])[];
}

/** Equal plans are equal layers: images share what they have in common. */
interface LayerPlan {
  readonly number: number;
  readonly kibibytes: number;
}

/** @param sizes in KiB, of layers */
export function imagePlan(sizes: readonly number[]): fc.Arbitrary<ImagePlan> {
  const layer = fc.record({ number: fc.nat(200), kibibytes: fc.constantFrom(...sizes) });
  return fc.record({
    family: fc.constantFrom(0 as const, 1 as const),
    children: fc.array(fc.array(layer, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  });
}

/** All of an image, children before parents. */
export function itemsOf({ family, children }: ImagePlan): readonly Item[] {
  const { manifest, index: list } = families[family];
  const images = children.map((layers) => {
    const config = item(JSON.stringify({ os: "linux", layers }), mediaTypes.ociConfig);
    const blobs = layers.map(contentOf);
    return [config, ...blobs, image(config, blobs, { mediaType: manifest })];
  });
  if (images.length === 1) return images.flat();
  return [
    ...images.flat(),
    index(
      images.flatMap((items) => items.at(-1) ?? []),
      list,
    ),
  ];
}

/** What refers to `subject`, its parts before itself. Equal numbers are equal attachments. */
export function attachmentTo(subject: Served, number: number): readonly Item[] {
  const config = item("{}", mediaTypes.ociEmpty);
  const content = item(`attachment ${number}`);
  const { digest, mediaType, bytes } = subject;
  const about = { digest: parseDigest(digest), mediaType, size: bytes.length };
  return [config, content, image(config, [content], { artifactType: "text/soak", subject: about })];
}

function contentOf({ number, kibibytes }: LayerPlan): Item {
  return item(Buffer.alloc(kibibytes * 1024, `layer ${number} of ${kibibytes} KiB, `));
}
