import { parseRepository, type RepositoryName } from "../../common/oci/reference.ts";
import { parseReference, type Reference } from "./reference.ts";
import type { DirectRoute } from "./route.ts";
import { directRoutes } from "./routes.ts";

/** What a request is about, read off its path. */
export interface DirectMatch {
  readonly route: DirectRoute;
  readonly params: Readonly<Record<string, string>>;
  readonly repository: RepositoryName;
  readonly reference: Reference;
}

/** Paths that mean what they say: no query, nothing escaped. */
const plain = /^\/v2\/[\w./:-]+$/;
/** So many matches are kept. With their paths they take half a megabyte at most. */
const maxKept = 1000;
const longestKept = 400;

/**
 * The route of a pull as clients write it: GET or HEAD of a manifest or a blob, which is most of what a registry is asked.
 * Answers what the router would, in a fraction of the time, or `undefined`: then the router is to be asked.
 */
export class DirectMatcher {
  /** What a path means never changes, whoever asks and whatever is here: clients ask for the same again and again. */
  private readonly known = new Map<string, DirectMatch>();

  match(method: string | undefined, url: string | undefined): DirectMatch | undefined {
    if (url === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
    const known = this.known.get(url);
    if (known !== undefined) return known;
    const found = read(url);
    if (found === undefined || url.length > longestKept) return found;
    if (this.known.size >= maxKept) this.known.clear();
    this.known.set(url, found);
    return found;
  }
}

function read(url: string): DirectMatch | undefined {
  if (!plain.test(url)) return undefined;
  const end = url.lastIndexOf("/");
  const middle = url.lastIndexOf("/", end - 1);
  const kind = url.slice(middle + 1, end);
  const name = url.slice("/v2/".length, middle);
  const last = url.slice(end + 1);
  if (kind !== "manifests" && kind !== "blobs") return undefined;
  try {
    const repository = parseRepository(name);
    const reference = parseReference(last);
    if (kind === "manifests") {
      return { route: directRoutes.manifest, params: { repository, reference: last }, repository, reference };
    }
    // `<name>/blobs/uploads` is another route.
    if (reference.kind !== "digest") return undefined;
    return { route: directRoutes.blob, params: { repository, digest: last }, repository, reference };
  } catch {
    // What is wrong with it is the router's to say.
    return undefined;
  }
}
