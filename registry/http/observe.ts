import type { IncomingMessage, ServerResponse } from "node:http";
import type { RepositoryName } from "../../common/oci/reference.ts";
import type { ApiParts } from "./call.ts";
import type { Observed } from "./observed.ts";

/** A tag or a digest. */
const referencePattern = /^[A-Za-z0-9_][A-Za-z0-9._+:-]{0,254}$/;
const acceptedId = /^[A-Za-z0-9_.-]{1,64}$/;

const noted = Symbol("noted");

type Noted = ServerResponse & { [noted]?: Observed };

/** Gives a request an id, counts it, and writes one line about it when it is over. No header and no query is written. */
export function observe(
  { clock, metrics, newId, log, audit }: ApiParts,
  request: IncomingMessage,
  response: Noted,
): Observed {
  const given = request.headers["x-request-id"];
  const requestId = typeof given === "string" && acceptedId.test(given) ? given : newId();
  const observed: Observed = { requestId, route: "other" };
  response[noted] = observed;
  const { socket } = request;
  const start = clock.steady();
  const { bytesRead, bytesWritten } = socket;
  metrics.begin();
  response.on("close", () => {
    const { route, client } = observed;
    const milliseconds = clock.steady() - start;
    const sent = Math.max(0, socket.bytesWritten - bytesWritten);
    metrics.end({
      route,
      method: request.method ?? "",
      status: response.statusCode,
      seconds: milliseconds / 1000,
      received: Math.max(0, socket.bytesRead - bytesRead),
      sent,
    });
    if (log.debugs) {
      log.debug("request", {
        requestId,
        method: request.method,
        path: request.url?.split("?")[0],
        status: response.statusCode,
        finished: response.writableFinished,
        milliseconds: Math.round(milliseconds),
        sent,
        address: socket.remoteAddress,
        ...(client === undefined ? {} : { client }),
      });
    }
    audit.record(request, response, observed);
  });
  return observed;
}

/** Notes what a request is about, as far as it has the form of a name; `parsed` says that it has. */
export function noteTarget(
  observed: Observed,
  repository: RepositoryName,
  params: Readonly<Record<string, string>>,
  parsed: boolean,
): void {
  observed.repository = repository;
  const reference = params.reference ?? params.digest ?? params.tag;
  if (reference === undefined) return;
  if (parsed || referencePattern.test(reference)) observed.reference = reference;
}

/** What is noted about the request that `response` answers. */
export function observedOf(response: Noted): Observed {
  const observed = response[noted];
  if (observed === undefined) throw new Error("nobody observes this request");
  return observed;
}
