import type { Logger } from "./log.ts";

/** A part of a program that runs until it is told to stop. */
export interface Service {
  readonly name: string;
  /** Runs until `signal` aborts, then finishes what it began and resolves. Rejecting stops the program. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether traffic may be sent to us. Cheap: called on every readiness probe. */
  ready(): boolean;
}

/**
 * Runs `services` together until `signal` aborts or one of them ends, then stops them in reverse order, each
 * before the next: what was started last depends on what was started first.
 *
 * @throws the error of the service that failed first; a service that ends unasked counts as failed.
 */
export async function runServices(
  services: readonly Service[],
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const failure = new AbortController();
  const stopped = AbortSignal.any([signal, failure.signal]);
  const running = services.map((service) => {
    const stop = new AbortController();
    const done = service.run(stop.signal).then(
      () => {
        if (!stop.signal.aborted) failure.abort(new Error(`${service.name} ended by itself`));
      },
      (error: unknown) => {
        if (!stop.signal.aborted) failure.abort(error);
        else log.error("service failed while stopping", { service: service.name, error });
      },
    );
    return { service, stop, done };
  });
  await new Promise<void>((resolve) => {
    if (stopped.aborted) resolve();
    else
      stopped.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
  });
  for (const { service, stop, done } of running.reverse()) {
    log.debug("stopping", { service: service.name });
    stop.abort();
    await done;
  }
  if (failure.signal.aborted) throw failure.signal.reason;
}
