import { DateTime, Duration, Settings } from "luxon";

// Nothing here speaks to people in their language; asking for the system's would load 8 MiB of language data.
Settings.defaultLocale = "en-US";

/** The only source of time: everything that waits or dates something takes one, so that tests never sleep. */
export interface Clock {
  /** The present, in UTC. */
  now(): DateTime<true>;
  /** The present in milliseconds since 1970: for what is asked at every request, where `now` costs too much. */
  millis(): number;
  /** Milliseconds on a clock that never jumps, from no point in particular: for how long something took. */
  steady(): number;
  /** Resolves once `duration` has passed, or rejects with the signal's reason. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => DateTime.utc(),
  millis: () => Date.now(),
  steady: () => performance.now(),
  sleep: (duration, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, duration.toMillis());
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

export const milliseconds = (n: number): Duration => Duration.fromMillis(n);
export const seconds = (n: number): Duration => Duration.fromObject({ seconds: n });
