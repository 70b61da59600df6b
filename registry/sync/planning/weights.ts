import type { Descriptor } from "../../../common/oci/digest.ts";
import type { ContentReader } from "../../content/store.ts";
import type { PlatformFilter } from "./platform.ts";
import { survey, type SurveyOptions } from "./survey.ts";

/**
 * How big images are, for the rules that bound it: the bytes of the configurations and layers of all wanted platforms,
 * each once. What a digest weighs never changes, so that it is found out once, and not in every pass.
 */
export class Weights {
  private known = new Map<string, number>();
  private used = new Map<string, number>();
  private told: ReadonlySet<string> = new Set();

  /** @throws as `survey` does */
  async of(
    source: ContentReader,
    target: ContentReader,
    root: Descriptor,
    platforms: PlatformFilter,
    options: SurveyOptions,
  ): Promise<number> {
    const key = `${root.digest} ${platforms.key}`;
    const bytes = this.known.get(key) ?? (await weigh(source, target, root, platforms, options));
    this.known.set(key, bytes);
    this.used.set(key, bytes);
    return bytes;
  }

  /** Those of `tags` that were not among them at the last call: what is left out is told once. */
  news<T extends { readonly repository: string; readonly tag: string; readonly root: Descriptor }>(
    tags: readonly T[],
  ): readonly T[] {
    const keyOf = ({ repository, tag, root }: T): string => `${repository}:${tag}@${root.digest}`;
    const news = tags.filter((each) => !this.told.has(keyOf(each)));
    this.told = new Set(tags.map(keyOf));
    return news;
  }

  /** A pass is over: forgets what nobody has asked for since the last call. */
  endPass(): void {
    this.known = this.used;
    this.used = new Map();
  }
}

async function weigh(...image: Parameters<typeof survey>): Promise<number> {
  const { blobs } = await survey(...image);
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
