import type { Report } from "../terminal/progress.ts";

/** What one build or one download brings: a component, or several that come together. */
export interface Bundle {
  readonly name: string;
  readonly version: string;
  /** The files it brings, by the names that callers ask for. */
  readonly programs: readonly string[];
  readonly build: GoBuild;
  /** What the component's own project publishes for a platform; empty where it publishes nothing. */
  readonly releases: (platform: Platform) => readonly Release[];
}

export interface GoBuild {
  /** The folder of our Go module whose `go.mod` pins everything, beside this file; `go` where nothing is said. */
  readonly module?: string;
  /** Import paths, or folders of our own Go module (`./kubernetes`). */
  readonly packages: readonly string[];
  /** How the one file that is built is called, where its package is called otherwise. */
  readonly file?: string;
  /** For programs whose speed is measured: compiled as their own project does it. Takes longer. */
  readonly optimized?: boolean;
  /** String variables set by the linker: how a component knows its version. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A published file with a published file of SHA-256 checksums. */
export interface Release {
  readonly url: string;
  readonly checksumUrl: string;
  /** For a `.tar.gz`, where each program lies in it. A release without it is the program `program` itself. */
  readonly members?: Readonly<Record<string, string>>;
  readonly program?: string;
}

export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** This machine, in the words that Go and release files use. */
export function hostPlatform(): Platform {
  return { os: process.platform, arch: process.arch === "x64" ? "amd64" : process.arch };
}

/** A way to obtain what neither an explicit directory nor the cache has. */
export interface Source {
  /** How many bundles it is best asked for at a time. */
  readonly parallel: number;
  /** What it does with `bundle`, as the title of a step. */
  title(bundle: Bundle): string;
  /** Why it cannot be used for `bundle` here, or undefined if it can be tried. */
  obstacle(bundle: Bundle): Promise<string | undefined>;
  /** Puts every program of `bundle` into `folder`, which is empty. What is left there after a rejection is thrown away. */
  obtain(bundle: Bundle, folder: string, report: Report, signal: AbortSignal): Promise<void>;
}
