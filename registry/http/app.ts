import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Logger } from "../../common/log.ts";
import { OciError } from "../../common/oci/errors.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import type { ContentRepository } from "../content/repository.ts";
import { authorize } from "./authorize.ts";
import type { ApiParts, Session } from "./call.ts";
import { matchDirectly, type DirectMatch } from "./direct.ts";
import { setCommonHeaders } from "./head.ts";
import { noteTarget, observe, observedOf } from "./observe.ts";
import { respondWithError } from "./respond.ts";
import { routes, tokenPaths, type Route } from "./routes.ts";
import { getToken, postToken } from "./token.ts";

type Params = Readonly<Record<string, string>>;

/** The distribution API over `parts`. */
export function createApp(parts: ApiParts): RequestListener {
  const router = createRouter(parts);
  return (request, response) => {
    observe(parts, request, response);
    const match = matchDirectly(request.method, request.url);
    if (match === undefined) router(request, response);
    else void runDirectly(match, request, response, parts);
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
    await runInRepository(route, params, request, response, parts, (session, repository) =>
      route.handle({ request, response, params, parts, session, repository }),
    );
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

/** Runs a route that was found without the router. */
function runDirectly(
  { route, params }: DirectMatch,
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
): Promise<void> | void {
  return runInRepository(route, params, request, response, parts, (session, repository) =>
    route.handle({ request, response, params, parts, session, repository }),
  );
}

/** Does all at once where nothing has to be waited for: a promise costs a small request a good part of its time. */
function runInRepository(
  { name, access, missing }: Extract<Route, { readonly missing: unknown }>,
  params: Params,
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
  handle: (session: Session, repository: ContentRepository) => Promise<void> | void,
): Promise<void> | void {
  const observed = observedOf(response);
  observed.route = name;
  const fail = (error: unknown): void => {
    respondWithError(error, request, response, logOf(response, parts), missing);
  };
  try {
    const repository = parseRepository(params.repository ?? "");
    noteTarget(observed, repository, params);
    const session = authorize(access, repository, request, response, parts);
    const done =
      session instanceof Promise
        ? session.then((known) => handle(known, parts.content.open(repository)))
        : handle(session, parts.content.open(repository));
    return done?.catch(fail);
  } catch (error) {
    fail(error);
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
