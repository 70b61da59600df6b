import type { TagSelection } from "../contract/config.ts";
import { isLiteral } from "../glob.ts";
import { compileExpression, type Expression } from "./expression.ts";
import { GrammarError, InvalidSelectionError, type SelectionFault } from "./faults.ts";
import type { LeftOut } from "./left-out.ts";
import { keyOf, newestBy, type Newest } from "./newest.ts";
import { parseRange, parseVersion, type Standing, type Version } from "./version.ts";

/** What a rule asks of a tag beyond its name: expressions, versions, and to be among the newest. */
export interface TagCriteria {
  readonly excludes: (tag: string) => boolean;
  /** Why `tag` is left out, whatever other tags there are; `undefined` if it is not. */
  readonly refusal: (tag: string) => LeftOut | undefined;
  /** Those of `tags` that are among the newest, as many as are asked for. None of `tags` may have a refusal. */
  readonly newest: Newest;
}

type Asked = Pick<TagSelection, "expression" | "excludeExpression" | "semver" | "newest"> & {
  readonly include: readonly string[];
};

interface Parts {
  readonly wanted: Expression | undefined;
  readonly unwanted: Expression | undefined;
  readonly standing: ((version: Version) => Standing) | undefined;
}

/** @throws {InvalidSelectionError} that names every fault */
export function compileCriteria(asked: Asked): TagCriteria {
  const { newest } = asked;
  const { wanted, unwanted, standing } = parse(asked);
  const captured = wanted?.version?.captured === true;
  const textOf = wanted?.version?.of ?? ((tag: string) => tag);
  const versionOf = (tag: string): Version | undefined => {
    const text = textOf(tag);
    return text === undefined ? undefined : parseVersion(text, captured);
  };
  return {
    excludes: (tag) => unwanted?.matches(tag) === true,
    refusal: (tag) => {
      if (wanted?.matches(tag) === false) return "expression";
      if (standing !== undefined) {
        const version = versionOf(tag);
        if (version === undefined) return "noVersion";
        const stands = standing(version);
        if (stands !== "inside") return stands;
      }
      if (newest === undefined || newest.by === "Semver") return undefined;
      return keyOf(newest.by, textOf(tag)) === undefined ? "notComparable" : undefined;
    },
    newest: newest === undefined ? (tags) => tags : newestOf(newest, textOf, versionOf),
  };
}

function newestOf(
  { count, by }: NonNullable<Asked["newest"]>,
  textOf: (tag: string) => string | undefined,
  versionOf: (tag: string) => Version | undefined,
): Newest {
  if (by === "Semver") return newestBy(count, versionOf, (a, b) => a.compare(b) || a.compareBuild(b));
  return newestBy(
    count,
    (tag) => keyOf(by, textOf(tag)),
    (a, b) => (a < b ? -1 : Number(a > b)),
  );
}

function parse({ include, expression, excludeExpression, semver, newest }: Asked): Parts {
  const faults: SelectionFault[] = [];
  const attempt = <T, U>(field: string, input: T | undefined, read: (input: T) => U): U | undefined => {
    if (input === undefined) return undefined;
    try {
      return read(input);
    } catch (error) {
      if (!(error instanceof GrammarError)) throw error;
      faults.push({ field, sentence: error.message });
      return undefined;
    }
  };
  const compared = semver !== undefined || newest !== undefined;
  const versions = semver ?? (newest?.by === "Semver" ? { range: "*", prereleases: false } : undefined);
  const parts = {
    wanted: attempt("expression", expression, (text) => expectVersion(compileExpression(text), compared)),
    unwanted: attempt("excludeExpression", excludeExpression, compileExpression),
    standing: attempt("semver.range", versions, ({ range, prereleases }) => parseRange(range, prereleases)),
  };
  if ((compared || expression !== undefined) && include.every(isLiteral)) {
    faults.push({
      field: "include",
      sentence:
        'has no pattern for expression, semver and newest to choose from: add "*", or leave include out',
    });
  }
  if (faults.length > 0) throw new InvalidSelectionError(faults);
  return parts;
}

function expectVersion(expression: Expression, compared: boolean): Expression {
  if (compared && expression.version === undefined) {
    throw new GrammarError(
      "has several groups, and none is named version: write (?P<version>…) for what is to be compared, or (?:…) for the others",
    );
  }
  return expression;
}
