import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../common/clock.ts";
import type { Observed } from "./observed.ts";

/** `lock`: what may be done with content was changed, either way. */
type AuditAction = "login" | "pull" | "push" | "mount" | "delete" | "list" | "lock";

/** One line of the audit log. Nothing in it comes from a header, a query or a body as it is (S43). */
interface AuditEntry {
  readonly requestId: string;
  readonly action: AuditAction;
  readonly method: string;
  readonly repository?: string | undefined;
  /** The tag or digest that was asked for. */
  readonly reference?: string | undefined;
  /** The digest that this was, or became. */
  readonly digest?: string | undefined;
  /** The repository that a blob was mounted from. */
  readonly from?: string | undefined;
  /** The client token that logged in; absent: nobody did. */
  readonly client?: string | undefined;
  /** The client token for which somebody gave a wrong password. */
  readonly claimed?: string | undefined;
  readonly address: string;
  readonly status: number;
  /** `aborted`: the client went away before it had everything. */
  readonly outcome: "done" | "denied" | "failed" | "aborted";
}

/** Writes who did what, from where, and how it ended: one JSON object a line, marked `log: "audit"`, whatever the log level. */
export class AuditLog {
  private readonly enabled: () => boolean;
  private readonly clock: Clock;
  private readonly write: (line: string) => void;

  /** @param enabled asked for each request, so that it can be switched at any time */
  constructor(enabled: () => boolean, clock: Clock, write: (line: string) => void) {
    this.enabled = enabled;
    this.clock = clock;
    this.write = write;
  }

  /** @param response that is over */
  record(request: IncomingMessage, response: ServerResponse, observed: Observed): void {
    const entry = this.enabled() ? auditEntry(request, response, observed) : undefined;
    if (entry === undefined) return;
    const head = { time: this.clock.now().toISO(), program: "registry", log: "audit" };
    this.write(`${JSON.stringify({ ...head, ...entry })}\n`);
  }
}

/** What is to be recorded of a request; `undefined` if it is a step on the way, or nobody's doing. */
function auditEntry(
  request: IncomingMessage,
  response: ServerResponse,
  observed: Observed,
): AuditEntry | undefined {
  const { requestId, repository, reference, mountedFrom, client, claimed } = observed;
  const { method = "" } = request;
  const status = response.statusCode;
  const outcome = outcomeOf(status, response.writableFinished);
  const action = mountedFrom === undefined ? actionOf(observed.route, method) : "mount";
  if (action === undefined || isStep(request, observed, outcome, status)) return undefined;
  return {
    requestId,
    action,
    method,
    repository,
    reference,
    digest: observed.digest ?? response.getHeader("Docker-Content-Digest")?.toString(),
    from: mountedFrom,
    client,
    claimed,
    address: request.socket.remoteAddress ?? "",
    status,
    outcome,
  };
}

function outcomeOf(status: number, finished: boolean): AuditEntry["outcome"] {
  if (status === 401 || status === 403 || status === 429) return "denied";
  if (status >= 400) return "failed";
  return finished ? "done" : "aborted";
}

function actionOf(route: string, method: string): AuditAction | undefined {
  if (route === "base" || route === "token") return "login";
  if (route === "catalog" || route === "tags" || route === "referrers") return "list";
  if (route === "uploads" || route === "upload") return "push";
  if (route === "other") return undefined;
  if (method === "DELETE") return "delete";
  if (method === "PATCH") return "lock";
  if (method === "PUT") return "push";
  return route === "blob" || route === "manifest" ? "pull" : "list";
}

/** Whether it says nothing that another line does not say: an upload that goes on, a client that asks how to log in. */
function isStep(
  { headers }: IncomingMessage,
  { route }: Observed,
  outcome: AuditEntry["outcome"],
  status: number,
): boolean {
  if (route === "base") return outcome === "done" || headers.authorization === undefined;
  const uploads = route === "uploads" || route === "upload";
  return uploads && (outcome === "done" || outcome === "aborted") && status !== 201;
}
