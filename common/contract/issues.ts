import type * as z from "zod/mini";

const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/**
 * What is wrong with a value, and what to write instead. The value itself is not quoted: it may be a secret in the
 * wrong place (S43).
 */
export function sentenceOf(issue: z.core.$ZodRawIssue): string {
  const write = issue.input === undefined ? "is missing: write" : "write";
  switch (issue.code) {
    case "invalid_type":
      return `${write} ${kinds[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${write} ${listed(issue.values.map(String))}`;
    case "too_small":
      return smallest(issue.origin, Number(issue.minimum));
    case "too_big":
      return largest(issue.origin, Number(issue.maximum));
    case "invalid_format":
      return `has the wrong form${issue.pattern === undefined ? "" : `: it must match ${issue.pattern}`}`;
    case "not_multiple_of":
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_element":
    case "invalid_union":
    case "custom":
      return "cannot be used";
  }
}

function smallest(origin: string, minimum: number): string {
  if (origin === "string")
    return minimum === 1 ? "must not be empty" : `write at least ${minimum} characters`;
  return origin === "array" ? `give at least ${minimum}` : `write ${minimum} or more`;
}

function largest(origin: string, maximum: number): string {
  if (origin === "string") return `write at most ${maximum} characters`;
  return origin === "array" ? `give at most ${maximum}` : `write ${maximum} or less`;
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}
