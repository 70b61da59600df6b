import type { NextFunction, Request, Response } from "express";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { ApiParts } from "./call.ts";
import { statusClass } from "./metrics.ts";
import type { Observed } from "./observed.ts";

/** A tag or a digest. */
const referencePattern = /^[A-Za-z0-9_][A-Za-z0-9._+:-]{0,254}$/;
const acceptedId = /^[A-Za-z0-9_.-]{1,64}$/;

/** Gives every request an id, counts it, and writes one line about it when it is over. No header and no query is written. */
export function observe({ clock, metrics, newId, log, audit }: ApiParts) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const given = request.headers["x-request-id"];
    const requestId = typeof given === "string" && acceptedId.test(given) ? given : newId();
    const observed: Observed = { requestId, route: "other" };
    response.locals.observed = observed;
    response.setHeader("X-Request-Id", requestId);
    const { socket } = request;
    const start = clock.now().toMillis();
    const before = { read: socket.bytesRead, written: socket.bytesWritten };
    metrics.inFlight.inc();
    response.once("close", () => {
      const { route, client } = observed;
      const milliseconds = clock.now().toMillis() - start;
      const received = socket.bytesRead - before.read;
      const sent = socket.bytesWritten - before.written;
      metrics.inFlight.dec();
      metrics.requests.inc({
        route,
        method: countedMethod(request.method),
        status: statusClass(response.statusCode),
      });
      metrics.duration.observe({ route }, milliseconds / 1000);
      metrics.received.inc({ route }, Math.max(0, received));
      metrics.sent.inc({ route }, Math.max(0, sent));
      log.debug("request", {
        requestId,
        method: request.method,
        path: request.path,
        status: response.statusCode,
        finished: response.writableFinished,
        milliseconds,
        sent,
        address: socket.remoteAddress,
        ...(client === undefined ? {} : { client }),
      });
      audit.record(request, response, observed);
    });
    next();
  };
}

/** Notes what a request is about, as far as it has the form of a name. */
export function noteTarget(
  observed: Observed,
  repository: RepositoryName,
  params: Readonly<Record<string, string>>,
): void {
  observed.repository = repository;
  const reference = params.reference ?? params.digest ?? params.tag;
  if (reference !== undefined && referencePattern.test(reference)) observed.reference = reference;
}

export function observedOf(response: Response): Observed {
  return response.locals.observed as Observed;
}

/** Any client may invent methods: they must not become time series. */
function countedMethod(method: string): string {
  return ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"].includes(method) ? method : "OTHER";
}
