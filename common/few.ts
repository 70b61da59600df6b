const shown = 3;

/**
 * The first three of `names`, and how many more there are: `a, b, c and 2 more`.
 *
 * @param total how many there are, where `names` are only the first of them
 */
export function few(
  names: readonly string[],
  { total = names.length, separator = ", " }: { readonly total?: number; readonly separator?: string } = {},
): string {
  const first = names.slice(0, shown);
  const more = total - first.length;
  return `${first.join(separator)}${more > 0 ? ` and ${more} more` : ""}`;
}
