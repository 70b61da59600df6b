import { RE2JS, RE2JSException } from "re2js";
import { GrammarError } from "./faults.ts";
import { expandedLength } from "./repetition.ts";

/** A regular expression that is held against whole tags. */
export interface Expression {
  readonly matches: (tag: string) => boolean;
  /** What is to be compared of a tag. Absent if the expression has several groups, none of them named `version`. */
  readonly version?: VersionGroup;
}

interface VersionGroup {
  /** Whether it is less than the whole tag. */
  readonly captured: boolean;
  /** @returns `undefined` if the tag does not match, or the group took no part */
  readonly of: (tag: string) => string | undefined;
}

/** Instructions of the compiled program: each may cost one step per character of a tag. */
const maxProgram = 300;

/** Past this an expression is not even compiled: 255 characters can ask for half a second and 50 MiB. */
const maxExpanded = 3000;

/**
 * Compiles an expression in RE2's syntax. Matching takes time linear in the length of the tag and of the program,
 * whatever the expression: it comes from a user, and tags come from a parent that nobody here controls.
 *
 * @throws {GrammarError}
 */
export function compileExpression(text: string): Expression {
  if (expandedLength(text) > maxExpanded) throw tooBig();
  const compiled = compile(text);
  if (compiled.programSize() > maxProgram) throw tooBig();
  const matches = (tag: string): boolean => compiled.testExact(tag);
  const group = versionGroup(compiled);
  if (group === undefined) return { matches };
  return {
    matches,
    version: {
      captured: group > 0,
      of: (tag) => {
        // Without captures the engine is many times faster, and most tags do not match.
        if (!matches(tag)) return undefined;
        const matcher = compiled.matcher(tag);
        return matcher.matches() ? (matcher.group(group) ?? undefined) : undefined;
      },
    },
  };
}

function tooBig(): GrammarError {
  return new GrammarError(
    "asks for too much work: write fewer or smaller repetitions, such as \\d+ for \\d{1,100}",
  );
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    const fault = cause.message.replace(/^error parsing regexp: /, "");
    throw new GrammarError(
      `cannot be read (${fault}): write it in the syntax of RE2, which has no look-around and no back-references`,
    );
  }
}

/** The group named `version`, or the only one; 0, which is all of the match, if there is none. */
function versionGroup(compiled: RE2JS): number | undefined {
  const named = compiled.namedGroups().version;
  if (named !== undefined) return named;
  return compiled.groupCount() <= 1 ? compiled.groupCount() : undefined;
}
