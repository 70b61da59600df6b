import type { OciErrorCode } from "../../common/oci/errors.ts";
import type { RouteAccess } from "./authorize.ts";
import { deleteBlob, readBlob } from "./blobs.ts";
import type { Call, PullCall, RepositoryCall } from "./call.ts";
import { listCatalog } from "./catalog.ts";
import { deleteManifest, readManifest, writeManifest } from "./manifests.ts";
import { changeMetadata, readMetadata } from "./metadata.ts";
import { listReferrers } from "./referrers.ts";
import { listTags } from "./tags.ts";
import { beginUpload, cancelUpload, continueUpload, describeUpload, finishUpload } from "./uploads.ts";

/** GET routes answer HEAD too, as the specification asks. */
type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

interface RouteBase {
  /** Names it in metrics and logs; several methods of one pattern share it. */
  readonly name: string;
  readonly method: Method;
  /** Named groups become parameters; `repository` is a repository's name, checked against the grammar (S50). */
  readonly pattern: RegExp;
}

/** A route that is found without the router too (direct.ts): its handler uses nothing that the router adds. */
export interface DirectRoute extends RouteBase {
  readonly access: Extract<RouteAccess, { kind: "repository" }>;
  readonly missing: OciErrorCode;
  readonly handle: (call: PullCall) => Promise<void> | void;
}

export type Route =
  | DirectRoute
  | (RouteBase & {
      readonly access: Extract<RouteAccess, { kind: "login" | "catalog" }>;
      readonly handle: (call: Call) => Promise<void>;
    })
  | (RouteBase & {
      readonly access: Extract<RouteAccess, { kind: "repository" }>;
      /** What it means here that content was not found. */
      readonly missing: OciErrorCode;
      readonly handle: (call: RepositoryCall) => Promise<void>;
    });

const reads = { kind: "repository", actions: ["content/read"], writes: false } as const;
const lists = { kind: "repository", actions: ["content/read", "metadata/read"], writes: false } as const;
const describes = { kind: "repository", actions: ["metadata/read"], writes: false } as const;
const changes = { kind: "repository", actions: ["metadata/write"], writes: true } as const;
const writes = { kind: "repository", actions: ["content/write"], writes: true } as const;
const deletes = { kind: "repository", actions: ["content/delete"], writes: true } as const;

const base = /^\/v2\/?$/;
const catalog = /^\/v2\/_catalog$/;
const uploads = /^\/v2\/(?<repository>.+)\/blobs\/uploads\/?$/;
const upload = /^\/v2\/(?<repository>.+)\/blobs\/uploads\/(?<id>[^/]+)$/;
const blob = /^\/v2\/(?<repository>.+)\/blobs\/(?<digest>[^/]+)$/;
const manifest = /^\/v2\/(?<repository>.+)\/manifests\/(?<reference>[^/]+)$/;
const tags = /^\/v2\/(?<repository>.+)\/tags\/list$/;
const referrers = /^\/v2\/(?<repository>.+)\/referrers\/(?<digest>[^/]+)$/;

const metadata = [
  /^\/acr\/v1\/(?<repository>.+)\/_tags\/(?<tag>[^/]+)$/,
  /^\/acr\/v1\/(?<repository>.+)\/_manifests\/(?<digest>[^/]+)$/,
  /^\/acr\/v1\/(?<repository>.+)$/,
];

export const directRoutes = {
  manifest: {
    name: "manifest",
    method: "GET",
    pattern: manifest,
    access: reads,
    missing: "MANIFEST_UNKNOWN",
    handle: readManifest,
  },
  blob: {
    name: "blob",
    method: "GET",
    pattern: blob,
    access: reads,
    missing: "BLOB_UNKNOWN",
    handle: readBlob,
  },
} as const satisfies Record<string, DirectRoute>;

/**
 * The distribution API (OCI distribution specification 1.1, "Endpoints"), and ACR's metadata of what can be locked. The
 * first pattern that fits is taken.
 */
export const routes: readonly Route[] = [
  { name: "base", method: "GET", pattern: base, access: { kind: "login" }, handle: answerBase },
  { name: "catalog", method: "GET", pattern: catalog, access: { kind: "catalog" }, handle: listCatalog },
  {
    name: "uploads",
    method: "POST",
    pattern: uploads,
    access: writes,
    missing: "BLOB_UNKNOWN",
    handle: beginUpload,
  },
  {
    name: "upload",
    method: "GET",
    pattern: upload,
    access: writes,
    missing: "BLOB_UNKNOWN",
    handle: describeUpload,
  },
  {
    name: "upload",
    method: "PATCH",
    pattern: upload,
    access: writes,
    missing: "BLOB_UNKNOWN",
    handle: continueUpload,
  },
  {
    name: "upload",
    method: "PUT",
    pattern: upload,
    access: writes,
    missing: "BLOB_UNKNOWN",
    handle: finishUpload,
  },
  {
    name: "upload",
    method: "DELETE",
    pattern: upload,
    access: writes,
    missing: "BLOB_UNKNOWN",
    handle: cancelUpload,
  },
  directRoutes.blob,
  {
    name: "blob",
    method: "DELETE",
    pattern: blob,
    access: deletes,
    missing: "BLOB_UNKNOWN",
    handle: deleteBlob,
  },
  directRoutes.manifest,
  {
    name: "manifest",
    method: "PUT",
    pattern: manifest,
    access: writes,
    missing: "MANIFEST_BLOB_UNKNOWN",
    handle: writeManifest,
  },
  {
    name: "manifest",
    method: "DELETE",
    pattern: manifest,
    access: deletes,
    missing: "MANIFEST_UNKNOWN",
    handle: deleteManifest,
  },
  { name: "tags", method: "GET", pattern: tags, access: lists, missing: "NAME_UNKNOWN", handle: listTags },
  {
    name: "referrers",
    method: "GET",
    pattern: referrers,
    access: reads,
    missing: "MANIFEST_UNKNOWN",
    handle: listReferrers,
  },
  ...metadata.flatMap((pattern): Route[] => {
    const common = { name: "metadata", pattern, missing: "MANIFEST_UNKNOWN" } as const;
    return [
      { ...common, method: "GET", access: describes, handle: readMetadata },
      { ...common, method: "PATCH", access: changes, handle: changeMetadata },
    ];
  }),
];

/** The token endpoints: Docker's name for it, and ACR's. */
export const tokenPaths = ["/oauth2/token", "/acr/oauth2/token"];

/** Everything that metrics count. */
export const countedRoutes = [
  ...routes.flatMap(({ name, method }) =>
    (method === "GET" ? [method, "HEAD"] : [method]).map((each) => ({ name, method: each })),
  ),
  { name: "token", method: "GET" },
  { name: "token", method: "POST" },
  { name: "other", method: "GET" },
];

async function answerBase({ response }: Call): Promise<void> {
  response.json({});
}
