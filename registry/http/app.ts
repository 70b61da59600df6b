import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Logger } from "../../common/log.ts";
import { OciError, type OciErrorCode } from "../../common/oci/errors.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import { authorize, type RouteAccess } from "./authorize.ts";
import type { ApiParts, PullCall } from "./call.ts";
import { DirectMatcher, type DirectMatch } from "./direct.ts";
import { setCommonHeaders } from "./head.ts";
import { noteTarget, observe, observedOf } from "./observe.ts";
import { respondWithError } from "./respond.ts";
import type { Route } from "./route.ts";
import { routes, tokenPaths } from "./routes.ts";
import { getToken, postToken } from "./token.ts";

type Params = Readonly<Record<string, string>>;

/** The distribution API over `parts`. */
export function createApp(parts: ApiParts): RequestListener {
  const router = createRouter(parts);
  const direct = new DirectMatcher();
  return (request, response) => {
    observe(parts, request, response);
    const match = direct.match(request.method, request.url);
    if (match === undefined) router(request, response);
    else void runInRepository(match.route, match.params, request, response, parts, match);
  };
}

function createRouter(parts: ApiParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.use((_request, response, next) => {
    setCommonHeaders(response);
    next();
  });
  for (const path of tokenPaths) {
    app
      .route(path)
      .all((_request, response, next) => {
        observedOf(response).route = "token";
        next();
      })
      .get((request, response) => getToken(request, response, parts))
      .post((request, response) => postToken(request, response, parts))
      .all(refuseMethod("GET, HEAD, POST"));
  }
  for (const pattern of new Set(routes.map((route) => route.pattern))) {
    const here = routes.filter((route) => route.pattern === pattern);
    const path = app.route(pattern);
    for (const route of here)
      path[verbOf(route)]((request, response) => run(route, request, response, parts));
    path.all(
      refuseMethod(here.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ")),
    );
  }
  app.use(() => {
    throw new OciError("NAME_UNKNOWN", { message: "there is nothing at this path" });
  });
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- express knows a handler of errors by its four parameters
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    respondWithError(error, request, response, logOf(response, parts));
  });
  return app;
}

/** Runs a route with what the router found. */
async function run(route: Route, request: Request, response: Response, parts: ApiParts): Promise<void> {
  const params = request.params as Params;
  if ("missing" in route) {
    await runInRepository(route, params, request, response, parts);
    return;
  }
  observedOf(response).route = route.name;
  try {
    const session = await authorize(route.access, "", request, response, parts);
    await route.handle({ request, response, params, parts, session });
  } catch (error) {
    respondWithError(error, request, response, logOf(response, parts));
  }
}

/** A route of a repository, for requests and responses with what its handler needs of them. */
interface RepositoryRoute<Q, S> {
  readonly name: string;
  readonly access: RouteAccess;
  readonly missing: OciErrorCode;
  readonly handle: (
    call: Omit<PullCall, "request" | "response"> & { readonly request: Q; readonly response: S },
  ) => Promise<void> | void;
}

/** Does all at once where nothing has to be waited for: a promise costs a small request a good part of its time. */
function runInRepository<Q extends IncomingMessage, S extends ServerResponse>(
  route: RepositoryRoute<Q, S>,
  params: Params,
  request: Q,
  response: S,
  parts: ApiParts,
  known?: Pick<DirectMatch, "repository" | "reference">,
): Promise<void> | void {
  const observed = observedOf(response);
  observed.route = route.name;
  try {
    const name = known?.repository ?? parseRepository(params.repository ?? "");
    const reference = known?.reference;
    noteTarget(observed, name, params, reference !== undefined);
    const repository = parts.content.open(name);
    const session = authorize(route.access, name, request, response, parts);
    const done =
      session instanceof Promise
        ? session.then((permitted) =>
            route.handle({ request, response, params, parts, session: permitted, repository, reference }),
          )
        : route.handle({ request, response, params, parts, session, repository, reference });
    return done?.catch((error: unknown) => {
      respondWithError(error, request, response, logOf(response, parts), route.missing);
    });
  } catch (error) {
    respondWithError(error, request, response, logOf(response, parts), route.missing);
  }
}

function logOf(response: ServerResponse, { log }: ApiParts): Logger {
  return log.with({ requestId: observedOf(response).requestId });
}

function verbOf({ method }: Route): "get" | "post" | "patch" | "put" | "delete" {
  return method.toLowerCase() as "get" | "post" | "patch" | "put" | "delete";
}

function refuseMethod(allowed: string) {
  return (_request: Request, response: Response): void => {
    response.setHeader("Allow", allowed);
    throw new OciError("UNSUPPORTED");
  };
}
