interface Named {
  readonly repository: string;
  readonly tag?: string;
}

/** The order in which things of repositories and tags are shown. */
export function byName(a: Named, b: Named): number {
  return compare(a.repository, b.repository) || compare(a.tag ?? "", b.tag ?? "");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
