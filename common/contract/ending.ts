import * as z from "zod/mini";

/**
 * Why a registry's program ended, as far as a person can do something about it. The program leaves it where the kubelet
 * looks (the termination message of its container), and the operator makes a condition of it.
 */
const endingCodes = [
  /** The volume's file system takes no writes. */
  "VolumeReadOnly",
  /** It takes none of ours. */
  "VolumeForbidden",
  /** It lacks what a database needs, such as locks. */
  "VolumeUnsuitable",
  "VolumeFull",
  /** The settings, or the certificate, cannot be used. */
  "ConfigurationInvalid",
  /** Another instance uses the data. */
  "AlreadyActivated",
] as const;
export type EndingCode = (typeof endingCodes)[number];

/** Where the kubelet looks for it, in the container. */
export const endingPath = "/dev/termination-log";
/** The kubelet takes no more than 4096 bytes. */
const maxMessage = 1024;

/** Names of pods, which are shown to people: nothing else gets there from a volume. */
const instanceName = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

const endingSchema = z.object({
  version: z.literal(1),
  code: z.enum(endingCodes),
  /** For people who look at the pod. */
  message: z.string().check(z.maxLength(maxMessage)),
  /** The instance that uses the data, where that is known: the name of a pod. */
  holder: z.optional(z.string().check(z.regex(instanceName))),
});
export type Ending = Omit<z.output<typeof endingSchema>, "version">;

/** A holder that is no name is left out. */
export function endingText({ code, message, holder }: Ending): string {
  const known = holder !== undefined && instanceName.test(holder) ? { holder } : {};
  return JSON.stringify({ version: 1, code, message: message.slice(0, maxMessage), ...known });
}

/** @returns `undefined` for anything that is not the ending of a registry, such as the last lines of a log */
export function parseEnding(text: string): Ending | undefined {
  const result = endingSchema.safeParse(jsonOf(text));
  return result.success ? result.data : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
