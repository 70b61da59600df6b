import { systemClock, milliseconds } from "../../common/clock.ts";
import { messageOf } from "../../common/errors.ts";

/** What was waited for did not come. The message says what was seen last. */
class NeverCameError extends Error {
  override readonly name = "NeverCameError";
}

/**
 * Looks again and again until `look` answers something that is not `undefined`. What `look` throws counts as not yet;
 * the last of it is told when time runs out.
 *
 * @throws {NeverCameError} after `timeoutMs`
 */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | undefined>,
  everyMs = 250,
): Promise<T> {
  const end = systemClock.now().toMillis() + timeoutMs;
  let last = "nothing";
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      last = messageOf(error);
    }
    if (systemClock.now().toMillis() >= end) {
      throw new NeverCameError(`${what}: not within ${timeoutMs / 1000} s (last: ${last})`);
    }
    await systemClock.sleep(milliseconds(everyMs));
  }
}
