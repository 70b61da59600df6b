import type { Readable } from "node:stream";
import type { Duration } from "luxon";
import type { Clock } from "../../common/clock.ts";
import type { Digest, DigestAlgorithm } from "../../common/oci/digest.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { Blobs, StagedBlob } from "./blobs.ts";
import type { Intake } from "./intake.ts";
import type { Account } from "./quota.ts";
import { isUploadId, keyOf, ownerOf, splitStagedName, stagedName } from "./upload-names.ts";

/** The repository has no such upload: it never had, or it was finished, cancelled, or expired. */
export class UploadNotFoundError extends Error {
  override readonly name = "UploadNotFoundError";
}

/** Two requests write to one upload at once. */
export class UploadBusyError extends Error {
  override readonly name = "UploadBusyError";
}

/** An upload of a blob in several requests. */
export interface Upload {
  readonly id: string;
  /** How many bytes are here. */
  readonly offset: number;
  /** Adds to the end. If it rejects, what came until then stays. @throws {UploadBusyError} */
  append(content: Readable): Promise<void>;
  /** Ends the upload. @throws {DigestMismatchError} */
  commit(digest: Digest): Promise<void>;
  cancel(): Promise<void>;
}

/** What a client asks for that begins an upload. */
export interface UploadRequest {
  /** Who it is, in any words that are always the same. Absent: one of all those that nobody knows. */
  readonly client?: string;
  /** What its digest is expected to be made with; another one costs to read all of it again. */
  readonly algorithm?: DigestAlgorithm;
}

interface Session {
  readonly staged: StagedBlob;
  /** Whose it is, as in the name of the staged file. */
  readonly owner: string;
  /** Absent where an earlier process began it, until the first request names its repository. */
  account?: Account;
  touchedAt: number;
  busy: boolean;
}

export interface UploadLimits {
  /** How many may be open at once. */
  readonly open: number;
  /** How many of them one client may have: the others are for everybody else. */
  readonly openPerClient: number;
  /** How big one may become. */
  readonly bytes: number;
  /** After how long without a byte one is dropped. */
  readonly idle: Duration;
}

/**
 * Uploads of clients. Each is one staged file, whose name says to which repository it belongs and who began it: an upload
 * is nothing that a reader sees, so it needs no transaction, and opening one costs no sync of the disk. They survive a
 * restart; of one that power loss tore, the digest tells.
 */
export class Uploads {
  private readonly blobs: Blobs;
  private readonly intake: Intake;
  private readonly clock: Clock;
  private readonly newId: () => string;
  private readonly limits: UploadLimits;
  private readonly sessions = new Map<string, Session>();
  /** Whose are just being opened: they count as well. */
  private readonly opening: string[] = [];

  constructor(blobs: Blobs, intake: Intake, clock: Clock, newId: () => string, limits: UploadLimits) {
    this.blobs = blobs;
    this.intake = intake;
    this.clock = clock;
    this.newId = newId;
    this.limits = limits;
  }

  /** Takes up what an earlier process left. Once, before anything else. */
  async restore(): Promise<void> {
    for (const { key: name, touchedAt } of await this.blobs.staged()) {
      const parts = splitStagedName(name);
      if (parts === undefined) continue;
      const staged = await this.blobs.stage(name);
      this.sessions.set(parts.key, { staged, owner: parts.owner, touchedAt, busy: false });
    }
  }

  get count(): number {
    return this.sessions.size;
  }

  /** @throws {OciError} `TOOMANYREQUESTS` if too many are open, of this client or in all */
  async create(repository: RepositoryName, request: UploadRequest = {}): Promise<Upload> {
    const owner = ownerOf(request.client ?? "");
    this.demandRoom(owner);
    const id = this.newId();
    const key = keyOf(repository, id);
    this.opening.push(owner);
    try {
      const staged = await this.blobs.stage(stagedName(key, owner), request.algorithm);
      const session: Session = { staged, owner, touchedAt: this.clock.now().toMillis(), busy: false };
      this.sessions.set(key, session);
      return this.view(repository, id, session);
    } finally {
      this.opening.splice(this.opening.indexOf(owner), 1);
    }
  }

  /** @throws {UploadNotFoundError} also for an upload of another repository */
  find(repository: RepositoryName, id: string): Upload {
    const session = isUploadId(id) ? this.sessions.get(keyOf(repository, id)) : undefined;
    if (session === undefined) throw new UploadNotFoundError("no such upload");
    return this.view(repository, id, session);
  }

  /** Drops uploads that have rested for too long. One of a time to come rests from now on (T58): else it would for years. */
  async expire(): Promise<void> {
    const now = this.clock.now();
    const oldest = now.minus(this.limits.idle).toMillis();
    for (const [key, session] of this.sessions) {
      session.touchedAt = Math.min(session.touchedAt, now.toMillis());
      if (session.busy || session.touchedAt > oldest) continue;
      this.sessions.delete(key);
      if (session.account === undefined) await this.intake.drain(session.staged);
      else await this.intake.discard(session.staged, session.account);
    }
  }

  private demandRoom(owner: string): void {
    const { open, openPerClient } = this.limits;
    const all = [...this.opening, ...[...this.sessions.values()].map((session) => session.owner)];
    if (all.length < open && all.filter((each) => each === owner).length < openPerClient) return;
    throw new OciError("TOOMANYREQUESTS", { message: "too many uploads are open: finish or cancel some" });
  }

  private view(repository: RepositoryName, id: string, session: Session): Upload {
    const key = keyOf(repository, id);
    const account = (session.account ??= this.intake.open(repository, session.staged));
    return {
      id,
      get offset() {
        return session.staged.offset;
      },
      append: (content) =>
        this.alone(key, session, () =>
          this.intake.append(
            session.staged,
            content,
            { bytes: this.limits.bytes, refusal: tooLarge },
            account,
          ),
        ),
      commit: (digest) =>
        this.alone(key, session, async () => {
          this.sessions.delete(key);
          await this.intake.accept(repository, session.staged, digest, account);
        }),
      cancel: () =>
        this.alone(key, session, async () => {
          this.sessions.delete(key);
          await this.intake.discard(session.staged, account);
        }),
    };
  }

  private async alone(key: string, session: Session, work: () => Promise<void>): Promise<void> {
    // It may have ended since it was found, and what it staged is used up.
    if (this.sessions.get(key) !== session) throw new UploadNotFoundError("no such upload");
    if (session.busy) throw new UploadBusyError("another request is writing to this upload");
    session.busy = true;
    try {
      await work();
    } finally {
      session.busy = false;
      session.touchedAt = this.clock.now().toMillis();
    }
  }
}

function tooLarge(bytes: number): Error {
  return new OciError("PAYLOAD_TOO_LARGE", { message: `a blob has at most ${bytes} bytes here` });
}
