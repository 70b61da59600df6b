import type { RegistryMode } from "../../common/contract/config.ts";
import { algorithmOf } from "../../common/oci/digest.ts";
import {
  families,
  image,
  index,
  item,
  repository,
  streamOf,
  tag,
} from "../../registry/content/testing/images.ts";
import type { Item } from "../../registry/content/testing/images.ts";
import { openLoopback, type Answer, type Loopback } from "../../registry/http/testing/loopback.ts";

export type Family = (typeof families)[number];
type SendOptions = Parameters<Loopback["send"]>[2];

/** How ACR refuses a write to a registry that is for reading. */
const refusal = { code: "DENIED", message: "This operation is not allowed on this registry." };

/** A ReadOnly registry has refused the write that a check began with, as it must: the check is over. */
export class RefusedWrite extends Error {
  override readonly name = "RefusedWrite";
}

export const name = "conformance/a";
export const otherName = "conformance/b";

/** A registry under test, with content that came in by a side door, so that it is the same in both modes. */
export class Subject {
  readonly loopback: Loopback;
  readonly family: Family;
  readonly config = item('{"os":"linux"}', "application/vnd.oci.image.config.v1+json");
  readonly layer = item("0123456789");
  /** Tagged `v1`. */
  readonly image: Item;
  /** Of `image` and of an image that is not there; tagged `all`. */
  readonly index: Item;
  /** Refers to `image`, and says of what type it is. */
  readonly signature: Item;
  /** Refers to `image`, and says its type only by its config. */
  readonly sbom: Item;

  private constructor(loopback: Loopback, family: Family) {
    this.loopback = loopback;
    this.family = family;
    this.image = image(this.config, [this.layer], { mediaType: family.manifest });
    const absent = image(this.config, [], { mediaType: family.manifest, annotations: { is: "absent" } });
    this.index = index([this.image, absent], family.index);
    const subject = this.image.descriptor;
    const mediaType = family.manifest;
    const artifactType = "application/vnd.example.signature";
    this.signature = image(this.config, [], { mediaType, subject, artifactType, annotations: { by: "me" } });
    this.sbom = image(item("{}", "application/vnd.example.sbom"), [], { mediaType, subject });
  }

  static async open(family: Family, mode: RegistryMode): Promise<Subject> {
    const loopback = await openLoopback();
    const subject = new Subject(loopback, family);
    const target = loopback.content.open(repository(name));
    const { config, layer, signature, sbom } = subject;
    const empty = item("{}", "application/vnd.example.sbom");
    for (const each of [config, layer, empty, subject.image, signature, sbom]) {
      await target.push(each.descriptor, streamOf(each));
    }
    const { mediaType } = subject.index.descriptor;
    await target.putManifest(subject.index.bytes, mediaType, { tags: [tag("all")] });
    await target.tag(subject.image.descriptor, tag("v1"));
    loopback.mode = mode;
    return subject;
  }

  /** `path` begins behind the repository's name, or with a slash. */
  async send(method: string, path: string, options: SendOptions = {}): Promise<Answer> {
    const whole = path.startsWith("/") ? path : `/v2/${name}/${path}`;
    const answer = await this.loopback.send(method, whole, options);
    if (this.loopback.mode === "ReadOnly" && !["GET", "HEAD"].includes(method)) {
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body.toString())).toEqual({ errors: [refusal] });
      throw new RefusedWrite();
    }
    return answer;
  }

  /** An image of what is there, which is not. */
  fresh(note = "fresh"): Item {
    const mediaType = this.family.manifest;
    return image(this.config, [this.layer], { mediaType, annotations: { note } });
  }

  /** Begins an upload. @returns its address */
  async begin(query = ""): Promise<string> {
    const { status, headers } = await this.send("POST", `blobs/uploads/${query}`);
    expect(status).toBe(202);
    return String(headers.location);
  }

  /** The next chunk of an upload. */
  patch(location: string, range: string, body: string): Promise<Answer> {
    return this.send("PATCH", location, { headers: { "content-range": range }, body });
  }

  async push(blob: Item, query = ""): Promise<void> {
    const location = await this.begin(query);
    const { bytes: body, descriptor } = blob;
    expect((await this.send("PUT", `${location}?digest=${descriptor.digest}`, { body })).status).toBe(201);
  }

  put(manifest: Item, reference: string = manifest.descriptor.digest, headers = {}): Promise<Answer> {
    return this.send("PUT", `manifests/${reference}`, {
      headers: { "content-type": manifest.descriptor.mediaType, ...headers },
      body: manifest.bytes,
    });
  }

  /** Expects `manifest` to be there, byte for byte, under `reference`. */
  async has(manifest: Item, reference: string = manifest.descriptor.digest): Promise<void> {
    const { status, headers, body } = await this.send("GET", `manifests/${reference}`);
    expect({ status, digest: headers["docker-content-digest"] }).toEqual({
      status: 200,
      digest: manifest.descriptor.digest,
    });
    expect(body).toEqual(manifest.bytes);
  }
}

/** A body of JSON. */
export function read({ body }: Answer): unknown {
  return JSON.parse(body.toString("utf8"));
}

/** The descriptors of an index, as the referrers API gives it. */
export function descriptorsOf(answer: Answer): readonly { readonly digest: string }[] {
  return (read(answer) as { manifests: { digest: string }[] }).manifests;
}

/** Where the next page is. */
export function nextOf({ headers }: Answer): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(String(headers.link ?? ""))?.[1];
}

/** The tag that clients without the referrers API keep the referrers of a subject under ("Referrers Tag Schema"). */
export function referrersTag({ descriptor: { digest } }: Item): string {
  return `${algorithmOf(digest)}-${digest.slice(digest.indexOf(":") + 1, digest.indexOf(":") + 65)}`;
}
