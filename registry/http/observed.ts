/** What is noted about a request while it runs. */
export interface Observed {
  requestId: string;
  route: string;
  /** Who made it, once that is known. */
  client?: string;
  /** For which client token somebody gave a wrong password. */
  claimed?: string;
  repository?: string;
  /** The tag or digest that it is about, if it looks like one. */
  reference?: string;
  /** The digest of what was sent, where the answer's headers cannot be asked for it. */
  digest?: string;
  /** From which repository a blob was mounted. */
  mountedFrom?: string;
}
