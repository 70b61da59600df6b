/** What a sync tells, and is told, of how fresh tags are that are here. */
export interface TagConfirmations {
  /** Whether the tag does not change once it is here, so that the parent is not asked for it again. */
  immutable(repository: string, tag: string): boolean;
  /** The parent has the same under the tag as we, now. */
  note(repository: string, tag: string): void;
}
