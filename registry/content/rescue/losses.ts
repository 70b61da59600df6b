/** What a rescue of the database could not bring back. */
export interface Losses {
  /** Blobs that the database knew and whose file is gone or has another size. */
  readonly blobs: number;
  /** Manifests that needed one of them. */
  readonly manifests: number;
  /** Tags that are gone, or name an older image than they did. */
  readonly tags: number;
  /** `repository:tag` and `repository@digest`, sorted; at most `maxNames`. */
  readonly names: readonly string[];
}

const maxNames = 1_000;

/** Collects what is lost; each name counts once. */
export class LossList {
  private readonly tags = new Set<string>();
  private readonly manifests = new Set<string>();
  private blobs = 0;

  blob(): void {
    this.blobs += 1;
  }

  tag(repository: string, tag: string): void {
    this.tags.add(`${repository}:${tag}`);
  }

  manifest(repository: string, digest: string): void {
    this.manifests.add(`${repository}@${digest}`);
  }

  get losses(): Losses {
    const names = [...[...this.tags].sort(), ...[...this.manifests].sort()].slice(0, maxNames);
    return { blobs: this.blobs, manifests: this.manifests.size, tags: this.tags.size, names };
  }
}
