/** A schedule, time zone, window or blackout that cannot be read. Its message says which. */
export class InvalidScheduleError extends Error {
  override readonly name = "InvalidScheduleError";
}
