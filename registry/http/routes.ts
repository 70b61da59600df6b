import { deleteBlob, readBlob } from "./blobs.ts";
import type { Call } from "./call.ts";
import { listCatalog } from "./catalog.ts";
import { deleteManifest, readManifest, writeManifest } from "./manifests.ts";
import { metadataRoutes } from "./metadata-routes.ts";
import { listReferrers } from "./referrers.ts";
import type { DirectRoute, Route } from "./route.ts";
import { listTags } from "./tags.ts";
import { beginUpload, cancelUpload, continueUpload, describeUpload, finishUpload } from "./uploads.ts";

const reads = { kind: "repository", actions: ["content/read"], writes: false } as const;
const lists = { kind: "repository", actions: ["content/read", "metadata/read"], writes: false } as const;
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
  ...metadataRoutes,
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
