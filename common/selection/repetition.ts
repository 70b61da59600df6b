const token =
  /\\Q(?<literal>.*?)(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\{(?<least>\d+)(?:,(?<most>\d*))?\}|./gs;

interface Level {
  done: number;
  /** Of what a repetition would repeat. */
  last: number;
}

/**
 * How long about a regular expression in RE2's syntax is with every counted repetition written out, which is what a
 * compiler does. Looks at each character once.
 */
export function expandedLength(expression: string): number {
  const levels: Level[] = [{ done: 0, last: 0 }];
  for (const { 0: text, groups = {} } of expression.matchAll(token)) {
    const level = levels.at(-1);
    if (level === undefined) break;
    if (text === "(") levels.push({ done: 0, last: 0 });
    else if (groups.least !== undefined) level.last *= timesOf(groups.least, groups.most);
    else if (text === ")" && levels.length > 1) close(levels);
    else {
      level.done += level.last;
      level.last = groups.literal?.length ?? 1;
    }
  }
  while (levels.length > 1) close(levels);
  return sizeOf(levels[0]);
}

function timesOf(least: string, most: string | undefined): number {
  return Math.max(1, Number(least), Number(most ?? 0));
}

/** The innermost group becomes the last item of the one around it. */
function close(levels: Level[]): void {
  const size = sizeOf(levels.pop());
  const around = levels.at(-1);
  if (around === undefined) return;
  around.done += around.last;
  around.last = size;
}

function sizeOf(level: Level | undefined): number {
  return level === undefined ? 0 : level.done + level.last;
}
