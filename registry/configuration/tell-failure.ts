import { InvalidConfigError } from "../../common/contract/config.ts";
import { messageOf } from "../../common/errors.ts";

/**
 * Writes why a command failed: a line for each fault, then what people can do about it.
 *
 * @param remedyOf of what is no wrong usage, which says so itself
 * @returns the exit code: 2 wrong usage, 1 anything else
 */
export function tellFailure(
  error: unknown,
  errors: NodeJS.WritableStream,
  remedyOf: (error: unknown) => string | undefined = () => undefined,
): 1 | 2 {
  const usage = error instanceof InvalidConfigError;
  const lines = usage ? error.faults : [messageOf(error), remedyOf(error)];
  for (const line of lines) if (line !== undefined) errors.write(`${line}\n`);
  return usage ? 2 : 1;
}
