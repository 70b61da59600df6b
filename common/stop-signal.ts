const names = ["SIGTERM", "SIGINT"] as const;

/** Aborts at the first SIGTERM or SIGINT; a second one, of either, ends the process at once. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const first = (): void => {
    for (const name of names) process.off(name, first);
    stop.abort();
  };
  for (const name of names) process.on(name, first);
  return stop.signal;
}
