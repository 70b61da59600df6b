/** The API server answered, and not with what was asked for. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
  /** HTTP status: 403 when the Role does not allow it (yet), 404, 409, 410, 422, 429 or 5xx. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
