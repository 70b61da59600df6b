interface ErrorSpec {
  readonly status: number;
  readonly message: string;
  /** What clients are told instead, where the specification has no such code: in a 4xx it allows none but its own. */
  readonly sentAs?: "SIZE_INVALID" | "UNSUPPORTED";
}

/** OCI distribution specification, "Error Codes", with the status each is sent with. */
const ociErrors = {
  BLOB_UNKNOWN: { status: 404, message: "blob unknown to registry" },
  BLOB_UPLOAD_INVALID: { status: 400, message: "blob upload invalid" },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: "blob upload unknown to registry" },
  DIGEST_INVALID: { status: 400, message: "provided digest did not match uploaded content" },
  MANIFEST_BLOB_UNKNOWN: {
    status: 404,
    message: "manifest references a manifest or blob unknown to registry",
  },
  MANIFEST_INVALID: { status: 400, message: "manifest invalid" },
  MANIFEST_UNKNOWN: { status: 404, message: "manifest unknown to registry" },
  NAME_INVALID: { status: 400, message: "invalid repository name" },
  NAME_UNKNOWN: { status: 404, message: "repository name not known to registry" },
  SIZE_INVALID: { status: 400, message: "provided length did not match content length" },
  PAGINATION_NUMBER_INVALID: {
    status: 400,
    message: "the number of results asked for is not a number",
    sentAs: "UNSUPPORTED",
  },
  RANGE_INVALID: {
    status: 416,
    message: "the range does not continue the upload or lies outside the content",
    sentAs: "UNSUPPORTED",
  },
  UNAUTHORIZED: { status: 401, message: "authentication required" },
  DENIED: { status: 403, message: "requested access to the resource is denied" },
  UNSUPPORTED: { status: 405, message: "the operation is unsupported" },
  TOOMANYREQUESTS: { status: 429, message: "too many requests" },
  /** ACR's own: something is locked. */
  REGISTRY_DISALLOWED_OPERATION: {
    status: 405,
    message: "The operation is disallowed on this registry, repository or image.",
  },
  METADATA_INVALID: { status: 400, message: "the attributes are invalid" },
  PRECONDITION_FAILED: {
    status: 412,
    message: "what is there is not what the request expects",
    sentAs: "UNSUPPORTED",
  },
  URI_TOO_LONG: { status: 414, message: "the request names too much at once", sentAs: "UNSUPPORTED" },
  PAYLOAD_TOO_LARGE: { status: 413, message: "the request body is too large", sentAs: "SIZE_INVALID" },
  STORAGE_FULL: { status: 507, message: "the registry's storage is full" },
  /** As other registries name it. */
  UNAVAILABLE: { status: 503, message: "the registry cannot store anything now: try again later" },
  UNKNOWN: { status: 500, message: "internal error" },
} as const satisfies Readonly<Record<string, ErrorSpec>>;

export type OciErrorCode = keyof typeof ociErrors;

/** A refusal that a client is told in the form of the specification. */
export class OciError extends Error {
  override readonly name = "OciError";
  readonly code: OciErrorCode;
  readonly detail: unknown;

  constructor(code: OciErrorCode, options: { message?: string; detail?: unknown; cause?: unknown } = {}) {
    super(
      options.message ?? ociErrors[code].message,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.detail = options.detail;
  }

  get status(): number {
    return ociErrors[this.code].status;
  }

  /** The code in the answer. */
  get sentAs(): OciErrorCode {
    const spec: ErrorSpec = ociErrors[this.code];
    return spec.sentAs ?? this.code;
  }
}
