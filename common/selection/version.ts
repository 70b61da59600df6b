import Range from "semver/classes/range.js";
import SemVer from "semver/classes/semver.js";
import { GrammarError } from "./faults.ts";

export type Version = SemVer;

const full = /^v?(\d+\.\d+\.\d+)((?:[-+_].*)?)$/s;
const short = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:[-+_].*)?)$/s;

/**
 * The version that `text` is in SemVer 2.0.0, with or without a `v` before it. `_` stands for `+`, which a tag cannot
 * have (Helm writes it so).
 *
 * @param mayBeShort whether `16.4` is 16.4.0: only where somebody has said what the version is, for a tag that is
 *   nothing but a date or a build number would be a very high one
 */
export function parseVersion(text: string, mayBeShort: boolean): Version | undefined {
  try {
    if (!mayBeShort) {
      const [, numbers, rest = ""] = full.exec(text) ?? [];
      return numbers === undefined ? undefined : new SemVer(`${numbers}${rest.replace("_", "+")}`);
    }
    const [, major, minor = "0", patch = "0", rest = ""] = short.exec(text) ?? [];
    if (major === undefined) return undefined;
    // Ubuntu's 22.04 is no SemVer because of the zero.
    const numbers = [major, minor, patch].map((each) => each.replace(/^0+(?=\d)/, "")).join(".");
    return new SemVer(`${numbers}${rest.replace("_", "+")}`);
  } catch {
    return undefined;
  }
}

/** Whether a version is inside a range, or why it is not. */
export type Standing = "inside" | "range" | "preRelease";

/**
 * A range in npm's grammar: `>=1.2 <3`, `^1.2`, `~1.2.3`, `1.x`, `1.2 - 1.4`, alternatives with `||`.
 *
 * A pre-release is inside only if `preReleases`, or if the range names a pre-release of the same three numbers
 * (`>=1.3.0-rc.1`); one that fails by this alone is `preRelease`.
 *
 * @throws {GrammarError}
 */
export function parseRange(text: string, preReleases: boolean): (version: Version) => Standing {
  const all = rangeOf(text, true);
  const stable = rangeOf(text, false);
  return (version) => {
    if ((preReleases ? all : stable).test(version)) return "inside";
    return all.test(version) ? "preRelease" : "range";
  };
}

function rangeOf(text: string, includePrerelease: boolean): Range {
  try {
    return new Range(text, { includePrerelease });
  } catch (cause) {
    throw new GrammarError("is no range of versions: write one such as >=1.2 <3, ^1.4 or 1.x || 2.x", {
      cause,
    });
  }
}
