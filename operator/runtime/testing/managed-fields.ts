/** A JSON object, as the API server sees one. */
export type Json = Readonly<Record<string, unknown>>;

/** Who owns which fields: paths of leaves (`/spec/replicas`), by field manager. Lists are owned as a whole. */
export type Ownership = Map<string, ReadonlySet<string>>;

/**
 * Server-side apply of `applied` to `live` by `manager`, forced: what it applied is so, what it applied before and
 * left out now is removed unless another manager owns it too, and whoever owned another value of a field loses it.
 */
export function applyFields(live: Json, applied: Json, manager: string, ownership: Ownership): Json {
  const own = leavesOf(applied);
  const result = structuredClone(live) as Record<string, unknown>;
  const before = leavesOf(live);
  for (const [other, fields] of ownership) {
    if (other === manager) continue;
    const lost = [...own].filter(([path, value]) => fields.has(path) && !same(before.get(path), value));
    ownership.set(other, difference(fields, new Set(lost.map(([path]) => path))));
  }
  const given = difference(ownership.get(manager) ?? new Set(), new Set(own.keys()));
  for (const path of given) {
    const shared = [...ownership].some(([other, fields]) => other !== manager && fields.has(path));
    if (!shared) remove(result, segments(path));
  }
  for (const [path, value] of own) put(result, segments(path), value);
  ownership.set(manager, new Set(own.keys()));
  return result;
}

function leavesOf(value: Json, prefix = ""): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const path = `${prefix}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (isObject(item) && Object.keys(item).length > 0) {
      for (const leaf of leavesOf(item, path)) leaves.set(...leaf);
    } else leaves.set(path, item);
  }
  return leaves;
}

function segments(path: string): string[] {
  return path
    .slice(1)
    .split("/")
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function put(target: Record<string, unknown>, [head, ...rest]: readonly string[], value: unknown): void {
  if (head === undefined) return;
  if (rest.length === 0) {
    // An empty object says "there is one", not "there is nothing in it".
    if (!(isObject(value) && isObject(target[head]))) target[head] = structuredClone(value);
    return;
  }
  if (!isObject(target[head])) target[head] = {};
  put(target[head] as Record<string, unknown>, rest, value);
}

/** Also removes what becomes empty by it. */
function remove(target: Record<string, unknown>, [head, ...rest]: readonly string[]): void {
  if (head === undefined || !(head in target)) return;
  if (rest.length > 0) {
    const inner = target[head];
    if (!isObject(inner)) return;
    remove(inner, rest);
  }
  // What others put into it stays.
  if (isObject(target[head]) && Object.keys(target[head]).length > 0) return;
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a JSON document whose keys are data
  delete target[head];
}

function difference(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((item) => !b.has(item)));
}

export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, at) => same(item, b[at]));
  }
  if (!isObject(a) || !isObject(b)) return a === b;
  const keys = (value: Json): string[] => Object.keys(value).filter((key) => value[key] !== undefined);
  return keys(a).length === keys(b).length && keys(a).every((key) => same(a[key], b[key]));
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
