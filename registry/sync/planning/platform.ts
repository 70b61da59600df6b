import type { ChildDescriptor } from "../../../common/oci/manifest.ts";

/** Which children of an index are wanted. */
export interface PlatformFilter {
  /** Equal for filters that want the same. */
  readonly key: string;
  readonly wants: (child: ChildDescriptor) => boolean;
}

/** A platform that is not `architecture`, `os/architecture` or `os/architecture/variant`. */
export class InvalidPlatformError extends Error {
  override readonly name = "InvalidPlatformError";
}

/** No child of an index is for a wanted platform: an index of which nothing is left is no image (T04). */
export class NoPlatformError extends Error {
  override readonly name = "NoPlatformError";

  constructor({ key }: PlatformFilter) {
    super(`The image is not made for any of the wanted platforms (${key}).`);
  }
}

interface Wanted {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

export const everyPlatform: PlatformFilter = { key: "", wants: () => true };

/** The variant that an architecture has when it does not say (as containerd reads it). */
const defaultVariants: Readonly<Record<string, string>> = { arm: "v7", arm64: "v8", amd64: "v1" };
const aliases: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", armhf: "arm" };

/**
 * Wants what any of `texts` names; none: everything. Without an operating system `linux` is meant, without a variant
 * every variant. A child that does not say for which platform it is, is wanted: nobody can know that it is not.
 *
 * @throws {InvalidPlatformError}
 */
export function platformFilter(texts: readonly string[]): PlatformFilter {
  if (texts.length === 0) return everyPlatform;
  const wanted = texts.map(parse);
  return {
    key: [...new Set(texts)].sort().join(","),
    wants: ({ platform }) => {
      if (platform === undefined) return true;
      const architecture = aliases[platform.architecture] ?? platform.architecture;
      const variant = platform.variant ?? defaultVariants[architecture];
      return wanted.some(
        (want) =>
          want.os === platform.os &&
          want.architecture === architecture &&
          (want.variant === undefined || want.variant === variant),
      );
    },
  };
}

function parse(text: string): Wanted {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new InvalidPlatformError(`"${text}" is not os/architecture or os/architecture/variant.`);
  }
  const [os = "", architecture = "", variant] = parts.length === 1 ? ["linux", parts[0] ?? ""] : parts;
  return { os, architecture: aliases[architecture] ?? architecture, variant };
}
