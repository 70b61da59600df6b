import type { IncomingMessage, ServerResponse } from "node:http";
import type { Request, Response } from "express";
import type { Clock } from "../../common/clock.ts";
import type { RegistryMode } from "../../common/contract/config.ts";
import type { Logger } from "../../common/log.ts";
import { OciError } from "../../common/oci/errors.ts";
import type { Grant } from "../auth/access.ts";
import type { ClientTokens, Principal } from "../auth/client-tokens.ts";
import type { Logins } from "../auth/logins.ts";
import type { TokenAuthority } from "../auth/token-authority.ts";
import type { RegistryContent } from "../content/content.ts";
import type { ContentRepository } from "../content/repository.ts";
import type { AuditLog } from "./audit.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { HttpMetrics } from "./metrics.ts";
import type { Reference } from "./reference.ts";
import type { TransferBuffers } from "./transfer-buffers.ts";

/** What the API works with. */
export interface ApiParts {
  readonly content: RegistryContent;
  readonly elsewhere: Elsewhere;
  readonly tokens: ClientTokens;
  readonly logins: Logins;
  readonly authority: TokenAuthority;
  /** As configured at this moment. */
  readonly mode: () => RegistryMode;
  /** Whether clients may delete content, as configured at this moment. */
  readonly deleteEnabled: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit: AuditLog;
  readonly metrics: HttpMetrics;
  readonly buffers: TransferBuffers;
  /** Names a request. */
  readonly newId: () => string;
}

/** Who makes a request, and the most that the credentials they brought allow; no `grant`: all that they may. */
export interface Session {
  readonly principal: Principal;
  readonly grant?: Grant;
}

/** One request, after its route was found and it was authorized. */
export interface Call {
  readonly request: Request;
  readonly response: Response;
  readonly params: Readonly<Record<string, string>>;
  readonly parts: ApiParts;
  readonly session: Session;
}

export interface RepositoryCall extends Call {
  readonly repository: ContentRepository;
}

/** The same, without what the router adds to requests and responses: their common headers are still to be written. */
export interface PullCall extends Omit<RepositoryCall, "request" | "response"> {
  /** What it asks for, if that was read off the path already. */
  readonly reference?: Reference | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** @throws {OciError} `UNSUPPORTED` where deleting is switched off (S24) */
export function demandDelete({ deleteEnabled }: ApiParts): void {
  if (!deleteEnabled()) throw new OciError("UNSUPPORTED", { message: "deleting is switched off" });
}
