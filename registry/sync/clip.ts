/** Longer sentences hold what somebody else wrote, such as names and documents: a status has no room for these (T95). */
const longest = 500;

/** `text`, or as much of it as a status has room for. */
export function clip(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
