import type { OciErrorCode } from "../../common/oci/errors.ts";
import type { RouteAccess } from "./authorize.ts";
import type { Call, PullCall, RepositoryCall } from "./call.ts";

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
