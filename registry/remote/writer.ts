import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { StreamedBody } from "../../common/http/exchange.ts";
import { algorithmOf, isDigest, type Digest } from "../../common/oci/digest.ts";
import type { RepositoryName, Tag } from "../../common/oci/reference.ts";
import type { StoredManifest } from "../content/metadata.ts";
import type { KeptUpload } from "../content/outbox/uploads.ts";
import type { ParentWriter } from "../up/target.ts";
import type { ParentClient, ParentRequest } from "./client.ts";
import {
  ChangedMeanwhileError,
  NotFoundError,
  ProtocolError,
  UnknownPartError,
  type PeerFault,
} from "./errors.ts";
import { leastPartIn, locationIn, offsetIn } from "./upload-answers.ts";

interface Accepted {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Answers to a write say nothing in their body. */
const maxAnswerBytes = 64 * 1024;

/** One repository of a parent registry, as what goes up writes to it (OCI distribution specification, "Push"). */
export class RemoteWriter implements ParentWriter {
  private readonly client: ParentClient;
  private readonly name: RepositoryName;

  constructor(client: ParentClient, name: RepositoryName) {
    this.client = client;
    this.name = name;
  }

  async putManifest(
    reference: Tag | Digest,
    { bytes, descriptor }: StoredManifest,
    was: Digest | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const headers = {
      "content-type": descriptor.mediaType,
      ...(isDigest(reference) ? {} : conditionOn(was)),
    };
    // Under a tag a manifest gets the digest that the registry makes, unless it is told another: so regctl pushes sha512.
    const digest =
      !isDigest(reference) && algorithmOf(descriptor.digest) !== "sha256"
        ? `?digest=${descriptor.digest}`
        : "";
    const answer = await this.changing({
      ...this.request("PUT", `/v2/${this.name}/manifests/${reference}${digest}`, signal),
      headers,
      body: bodyOf(bytes),
    });
    return answer["oci-subject"] !== undefined;
  }

  async remove(reference: Tag | Digest, was: Digest, signal: AbortSignal): Promise<void> {
    try {
      await this.changing({
        ...this.request("DELETE", `/v2/${this.name}/manifests/${reference}`, signal),
        scope: `repository:${this.name}:delete`,
        headers: isDigest(reference) ? {} : conditionOn(was),
      });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  async beginUpload(
    digest: Digest,
    from: RepositoryName | undefined,
    signal: AbortSignal,
  ): Promise<KeptUpload | undefined> {
    const mount = from === undefined ? "" : `?mount=${digest}&from=${encodeURIComponent(from)}`;
    const request = this.request("POST", `/v2/${this.name}/blobs/uploads/${mount}`, signal);
    const { status, headers } = await this.persist({ ...request, body: bodyOf(new Uint8Array()) });
    if (status === 201) return undefined;
    return {
      location: locationIn(headers, this.client.origin, request.path),
      offset: 0,
      ...leastPartIn(headers),
    };
  }

  async findUpload(upload: KeptUpload, signal: AbortSignal): Promise<KeptUpload | undefined> {
    const request = this.request("GET", upload.location, signal);
    try {
      const { headers } = await this.persist(request);
      return { location: locationIn(headers, this.client.origin, request.path), offset: offsetIn(headers) };
    } catch (error) {
      // A registry that cannot tell where an upload is cannot go on with it either.
      if (error instanceof NotFoundError || (error instanceof ProtocolError && isClientFault(error))) {
        return undefined;
      }
      throw error;
    }
  }

  async append(upload: KeptUpload, bytes: StreamedBody, signal: AbortSignal): Promise<KeptUpload> {
    const { location, offset } = upload;
    const request = this.request("PATCH", location, signal);
    const { headers } = await this.once({
      ...request,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${offset}-${offset + bytes.size - 1}`,
      },
      body: bytes,
      urgency: "bulk",
    });
    return { location: locationIn(headers, this.client.origin, location), offset: offsetIn(headers) };
  }

  async finish(
    { location }: KeptUpload,
    digest: Digest,
    bytes: StreamedBody | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const url = new URL(location, this.client.origin);
    url.searchParams.set("digest", digest);
    await this.once({
      ...this.request("PUT", `${url.pathname}${url.search}`, signal),
      headers: { "content-type": "application/octet-stream" },
      body: bytes ?? bodyOf(new Uint8Array()),
      urgency: "bulk",
    });
  }

  /** As `persist`; what a manifest lacks, and what has changed meanwhile, have errors of their own. */
  private async changing(request: ParentRequest): Promise<IncomingHttpHeaders> {
    try {
      return (await this.persist(request)).headers;
    } catch (error) {
      const { host } = this.client.origin;
      if (!(error instanceof ProtocolError || error instanceof NotFoundError)) throw error;
      const lacking = error.faults.filter(lacksPart).flatMap(({ digest }) => digest ?? []);
      if (error.faults.some(lacksPart)) {
        throw new UnknownPartError(`${host} does not have all that the manifest names.`, lacking);
      }
      if (!(error instanceof ProtocolError) || error.status !== 412) throw error;
      throw new ChangedMeanwhileError(`${host} has something else there by now.`);
    }
  }

  private async persist(request: ParentRequest): Promise<Accepted> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(request);
      } catch (error) {
        await this.client.recover(error, attempt, request.signal);
      }
    }
  }

  private async once(request: ParentRequest): Promise<Accepted> {
    const response = await this.client.send(request);
    let size = 0;
    for await (const chunk of this.client.chunks(response, request.signal)) {
      size += chunk.length;
      if (size > maxAnswerBytes) {
        throw new ProtocolError(
          `${this.client.origin.host} answered with more than ${maxAnswerBytes} bytes.`,
        );
      }
    }
    return { status: response.statusCode ?? 0, headers: response.headers };
  }

  private request(
    method: ParentRequest["method"],
    path: string,
    signal: AbortSignal,
  ): ParentRequest & { readonly method: ParentRequest["method"] } {
    return { method, path, scope: `repository:${this.name}:pull,push`, signal };
  }
}

function bodyOf(bytes: Uint8Array): StreamedBody {
  return { size: bytes.length, open: () => Readable.from(bytes.length === 0 ? [] : [bytes]) };
}

/** Another connected registry heeds it; most others do not know it, and for these the HEAD before has to do. */
function conditionOn(was: Digest | undefined): Readonly<Record<string, string>> {
  return was === undefined ? { "if-none-match": "*" } : { "if-match": `"${was}"` };
}

function lacksPart({ code }: PeerFault): boolean {
  return code === "MANIFEST_BLOB_UNKNOWN";
}

function isClientFault({ status = 0 }: ProtocolError): boolean {
  return status >= 400 && status < 500;
}
