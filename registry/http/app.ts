import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { OciError } from "../../common/oci/errors.ts";
import { parseRepository } from "../../common/oci/reference.ts";
import { authorize } from "./authorize.ts";
import type { ApiParts } from "./call.ts";
import { noteTarget, observe, observedOf } from "./observe.ts";
import { respondWithError } from "./respond.ts";
import { routes, tokenPaths, type Route } from "./routes.ts";
import { getToken, postToken } from "./token.ts";

type Params = Readonly<Record<string, string>>;

/** The distribution API over `parts`. */
export function createApp(parts: ApiParts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.use(observe(parts));
  app.use((_request, response, next) => {
    response.setHeader("Docker-Distribution-API-Version", "registry/2.0");
    response.setHeader("X-Content-Type-Options", "nosniff");
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
    const { requestId } = observedOf(response);
    respondWithError(error, request, response, parts.log.with({ requestId }));
  });
  return app;
}

async function run(route: Route, request: Request, response: Response, parts: ApiParts): Promise<void> {
  const observed = observedOf(response);
  observed.route = route.name;
  const params = request.params as Params;
  const log = parts.log.with({ requestId: observed.requestId });
  const missing = "missing" in route ? route.missing : undefined;
  try {
    if ("missing" in route) {
      const name = parseRepository(params.repository ?? "");
      noteTarget(observed, name, params);
      const session = await authorize(route.access, name, request, response, parts);
      const repository = parts.content.open(name);
      await route.handle({ request, response, params, parts, session, repository });
    } else {
      const session = await authorize(route.access, "", request, response, parts);
      await route.handle({ request, response, params, parts, session });
    }
  } catch (error) {
    respondWithError(error, request, response, log, missing);
  }
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
