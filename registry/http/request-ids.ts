const idBytes = 16;
const digits = 2 * idBytes;
/** So many are drawn at once: asking for randomness costs more than what is asked for. */
const drawn = 256;

/** Makes names of requests that nobody can guess: 128 random bits, in hexadecimal. */
export function requestIds(random: (size: number) => Buffer): () => string {
  let pool = "";
  let next = 0;
  return () => {
    if (next === pool.length) {
      pool = random(drawn * idBytes).toString("hex");
      next = 0;
    }
    const id = pool.slice(next, next + digits);
    next += digits;
    return id;
  };
}
