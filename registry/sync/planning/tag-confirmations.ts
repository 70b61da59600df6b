/** What a sync tells, and is told, of how fresh tags are that are here. */
export interface TagConfirmations {
  /** Whether the tag does not change once it is here, so that the parent is not asked for it again. */
  immutable(repository: string, tag: string): boolean;
  /** The parent has the same under the tag as we, now. */
  note(repository: string, tag: string): void;
}

/** For a comparison with the parent as if nothing were known: it is asked for every tag. */
export function allAfresh(confirmations: TagConfirmations): TagConfirmations {
  return {
    immutable: () => false,
    note: (repository, tag) => {
      confirmations.note(repository, tag);
    },
  };
}
