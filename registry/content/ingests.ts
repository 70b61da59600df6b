import { algorithmOf, type Descriptor, type Digest } from "../../common/oci/digest.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import { Arrivals, type ArrivalWatch } from "./arrivals.ts";
import type { Blobs, StagedBlob } from "./blobs.ts";
import type { Holds } from "./holds.ts";
import { exactly, type Intake } from "./intake.ts";
import type { Metadata } from "./metadata.ts";
import type { Quota } from "./quota.ts";
import type { Ingest } from "./store.ts";
import { Turns } from "./turns.ts";

/** Names a transfer that a later one may go on with. */
const prefix = "ingest-";

/** What ingests are made of. */
interface IngestParts {
  readonly blobs: Blobs;
  readonly metadata: Metadata;
  readonly quota: Quota;
  readonly holds: Holds;
  readonly intake: Intake;
}

/** Transfers of blobs that a later one may go on with, one at a time of each blob, whoever wants it. */
export class Ingests {
  private readonly parts: IngestParts;
  private readonly turns = new Turns();
  private readonly busy = new Set<string>();
  private readonly arrivals = new Arrivals();

  constructor(parts: IngestParts) {
    this.parts = parts;
  }

  /** Waits for its turn: a blob is transferred once at a time. */
  async begin(repository: RepositoryName, expected: Descriptor, signal?: AbortSignal): Promise<Ingest> {
    const { blobs, metadata, quota, holds, intake } = this.parts;
    const key = `${prefix}${expected.digest.replace(":", "-")}`;
    const endTurn = await this.turns.take(key, signal);
    this.busy.add(key);
    const release = await holds.hold(expected.digest);
    const end = (): void => {
      release();
      this.busy.delete(key);
      endTurn();
    };
    try {
      if (await intake.has(expected)) {
        return this.present(repository, expected, end, async () => {
          if (await metadata.mountBlob(repository, expected.digest)) return;
          throw new Error(`${expected.digest} has just been found damaged: it has to come again`);
        });
      }
      if (await blobs.vouch(expected, signal)) {
        const { digest, size } = expected;
        return this.present(repository, expected, end, () => metadata.linkBlob(repository, digest, size));
      }
      let staged = await blobs.stage(key, algorithmOf(expected.digest));
      if (staged.offset > expected.size) {
        await intake.drain(staged);
        staged = await blobs.stage(key, algorithmOf(expected.digest));
      }
      quota.expect(expected.size - staged.offset);
      return this.transfer(repository, expected, staged, end, signal);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** The transfer of a blob as it goes on, whoever makes it and for whichever repository. */
  watch(digest: Digest): ArrivalWatch {
    return this.arrivals.watch(digest);
  }

  /** Drops what nobody has gone on with since `oldest`. */
  async expire(oldest: number): Promise<void> {
    for (const { key, touchedAt } of await this.parts.blobs.staged()) {
      if (key.startsWith(prefix) && touchedAt <= oldest) await this.drop(key);
    }
  }

  /** Drops what is staged under `key`, unless its transfer is going on. */
  private async drop(key: string): Promise<void> {
    if (this.busy.has(key)) return;
    const endTurn = await this.turns.take(key);
    try {
      await this.parts.intake.drain(await this.parts.blobs.stage(key));
    } finally {
      endTurn();
    }
  }

  private present(
    repository: RepositoryName,
    { digest, size }: Descriptor,
    end: () => void,
    link: () => Promise<void>,
  ): Ingest {
    return {
      offset: size,
      async write(content) {
        content.destroy();
      },
      commit: async () => {
        const counted = this.parts.metadata.blobSize(repository, digest) === undefined ? size : 0;
        try {
          await this.parts.quota.sharing(repository, counted, link);
        } finally {
          end();
        }
      },
      async suspend() {
        end();
      },
    };
  }

  private transfer(
    repository: RepositoryName,
    expected: Descriptor,
    staged: StagedBlob,
    end: () => void,
    signal: AbortSignal | undefined,
  ): Ingest {
    const { intake } = this.parts;
    const { arrivals } = this;
    const { digest, size } = expected;
    const account = intake.open(repository, staged);
    const grown = (): void => {
      arrivals.grown(digest);
    };
    arrivals.begin(digest, staged);
    return {
      get offset() {
        return staged.offset;
      },
      write: (content) => intake.append(staged, content, exactly(size), account, signal, grown),
      commit: async () => {
        let lost = true;
        try {
          await intake.accept(repository, staged, digest, account);
          lost = false;
        } finally {
          arrivals.end(digest, staged, lost);
          end();
        }
      },
      async suspend() {
        account.rest();
        arrivals.end(digest, staged, false);
        end();
      },
    };
  }
}
