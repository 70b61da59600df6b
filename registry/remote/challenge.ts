/** One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const parameter = /^\s*,?\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/;
const scheme = /^\s*,?\s*([A-Za-z][A-Za-z0-9_-]*)(?=\s|,|$)/;

/** The challenges of `header`, as far as it can be read: what follows the first nonsense is ignored. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header;
  for (let start = scheme.exec(rest); start?.[1] !== undefined; start = scheme.exec(rest)) {
    rest = rest.slice(start[0].length);
    const parameters: Record<string, string> = {};
    for (let found = parameter.exec(rest); found?.[1] !== undefined; found = parameter.exec(rest)) {
      parameters[found[1].toLowerCase()] = found[2]?.replace(/\\(.)/g, "$1") ?? found[3] ?? "";
      rest = rest.slice(found[0].length);
    }
    challenges.push({ scheme: start[1].toLowerCase(), parameters });
  }
  return challenges;
}
