import type { Descriptor } from "../../../common/oci/digest.ts";
import { ofManifest } from "../../../common/oci/mediatype.ts";
import type { Item } from "../../content/testing/images.ts";
import { send, type Answer } from "../../http/testing/loopback.ts";

/** A manifest as a registry answers it. */
export interface Served {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Somebody who pushes to, pulls from and looks into a registry on a loopback port. What is refused is an error. */
export class SoakClient {
  private readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  /** `items`, children before parents; the last gets `tag`. */
  async push(repository: string, items: readonly Item[], tag: string): Promise<void> {
    await this.attach(repository, items);
    const root = items.at(-1);
    if (root !== undefined) await this.put(repository, root, tag);
  }

  /** `items`, children before parents; the last refers to something, and gets no tag. */
  async attach(repository: string, items: readonly Item[]): Promise<void> {
    for (const each of items) {
      if (ofManifest(each.descriptor)) await this.put(repository, each, each.descriptor.digest);
      else await this.upload(repository, each);
    }
  }

  /** What refers to `digest`, sorted. */
  async referrers(repository: string, digest: string): Promise<readonly string[]> {
    const { body } = await this.ask("GET", `/v2/${repository}/referrers/${digest}`, [200]);
    const { manifests } = JSON.parse(body.toString()) as { readonly manifests: readonly Descriptor[] };
    return manifests.map((each) => each.digest).sort();
  }

  /** Under a digest or a tag. */
  async put(repository: string, { descriptor, bytes }: Item, reference: string): Promise<void> {
    const headers = { "content-type": descriptor.mediaType };
    await this.ask("PUT", `/v2/${repository}/manifests/${reference}`, [201], { headers, body: bytes });
  }

  /** @returns whether it was there */
  async untag(repository: string, tag: string): Promise<boolean> {
    return (await this.ask("DELETE", `/v2/${repository}/manifests/${tag}`, [202, 404])).status === 202;
  }

  /** `undefined`: it is not there. @param reference a digest or a tag */
  async manifest(repository: string, reference: string): Promise<Served | undefined> {
    const { status, headers, body } = await this.ask(
      "GET",
      `/v2/${repository}/manifests/${reference}`,
      [200, 404],
    );
    if (status === 404) return undefined;
    const digest = String(headers["docker-content-digest"]);
    return { digest, mediaType: headers["content-type"] ?? "", bytes: body };
  }

  async blob(repository: string, digest: string): Promise<Buffer | undefined> {
    const { status, body } = await this.ask("GET", `/v2/${repository}/blobs/${digest}`, [200, 404]);
    return status === 404 ? undefined : body;
  }

  /** Those that have a tag. */
  async repositories(): Promise<readonly string[]> {
    const { body } = await this.ask("GET", "/v2/_catalog?n=1000", [200]);
    return (JSON.parse(body.toString()) as { readonly repositories: readonly string[] }).repositories;
  }

  async tags(repository: string): Promise<readonly string[]> {
    const { status, body } = await this.ask("GET", `/v2/${repository}/tags/list?n=10000`, [200, 404]);
    if (status === 404) return [];
    return (JSON.parse(body.toString()) as { readonly tags: readonly string[] | null }).tags ?? [];
  }

  private async upload(repository: string, { descriptor, bytes }: Item): Promise<void> {
    const begun = await this.ask("POST", `/v2/${repository}/blobs/uploads/`, [202]);
    const path = new URL(begun.headers.location ?? "", "http://registry");
    path.searchParams.set("digest", descriptor.digest);
    const headers = { "content-type": "application/octet-stream" };
    await this.ask("PUT", path.pathname + path.search, [201], { headers, body: bytes });
  }

  private async ask(
    method: string,
    path: string,
    wanted: readonly number[],
    options?: Parameters<typeof send>[3],
  ): Promise<Answer> {
    const answer = await send(this.port, method, path, options);
    if (wanted.includes(answer.status)) return answer;
    throw new Error(`${method} ${path}: ${answer.status} ${answer.codes.join()} ${answer.body.toString()}`);
  }
}
