import { mediaTypes } from "../../../common/oci/mediatype.ts";
import { families, image, index, item, repository, tag, type Item } from "./images.ts";

/** What the fault tests push: small, but of every kind. A process names it by its number. */
export const names = ["team/a", "team/b", "c", "deep/er/name"].map(repository);
export const tagNames = ["v1", "v2", "latest"].map(tag);

/** A manifest, with what it needs, by number. */
export interface ManifestEntry {
  readonly item: Item;
  readonly blobs: readonly number[];
  readonly children: readonly number[];
  readonly subject?: number;
}

/** Around the sizes at which disks, pages and buffers begin anew. */
const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 20_000, 70_000];

export const blobs: readonly Item[] = sizes.map((size, i) =>
  item(Buffer.alloc(size, `blob ${i} `), mediaTypes.ociLayerGzip, i === 3 ? "sha512" : "sha256"),
);

export const manifests: readonly ManifestEntry[] = build();

function build(): readonly ManifestEntry[] {
  const made: ManifestEntry[] = [];
  const addImage = (mediaType: string, needs: readonly number[], subject?: number, padding = 0): void => {
    const [config, ...layers] = needs.map((i) => at(blobs, i));
    if (config === undefined) throw new Error("an image has a config");
    const annotations = { padding: "p".repeat(padding), number: String(made.length) };
    const about = subject === undefined ? {} : { subject: at(made, subject).item.descriptor };
    const content = image(config, layers, { mediaType, annotations, ...about });
    made.push({
      item: content,
      blobs: [...new Set(needs)].sort((a, b) => a - b),
      children: [],
      ...(subject === undefined ? {} : { subject }),
    });
  };
  for (const { manifest } of families) {
    addImage(manifest, [1, 2, 3]);
    addImage(manifest, [1, 4, 8], undefined, 5_000);
    // Big enough that a few of them fill the log of the database.
    addImage(manifest, [0, 9], undefined, 300_000);
  }
  addImage(mediaTypes.ociManifest, [0], 0);
  addImage(mediaTypes.ociManifest, [0, 5], 6);
  const indexes: readonly (readonly [string, readonly number[]])[] = [
    [families[0].index, [0, 1]],
    [families[1].index, [3, 4]],
    [families[0].index, [8, 2]],
  ];
  for (const [mediaType, children] of indexes) {
    made.push({
      item: index(
        children.map((child) => at(made, child).item),
        mediaType,
      ),
      blobs: [],
      children,
    });
  }
  return made;
}

/** @throws if there is none */
export function at<T>(list: readonly T[], i: number): T {
  const found = list[i];
  if (found === undefined) throw new Error(`there is no number ${i}`);
  return found;
}
