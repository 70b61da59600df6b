const idBytes = 16;
/** So many are drawn at once: asking for randomness costs more than what is asked for. */
const drawn = 256;

/** Makes names of requests that nobody can guess: 128 random bits, in hexadecimal. */
export function requestIds(random: (size: number) => Buffer): () => string {
  let pool: Buffer = Buffer.alloc(0);
  let next = 0;
  return () => {
    if (next === pool.length) {
      pool = random(drawn * idBytes);
      next = 0;
    }
    const id = pool.toString("hex", next, next + idBytes);
    next += idBytes;
    return id;
  };
}
