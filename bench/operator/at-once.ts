/**
 * Does `work` with each of `items`, `connections` at a time, in their order.
 *
 * @throws the first that `work` rejects with; then none is begun any more
 */
export async function atOnce<T>(
  connections: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items].reverse();
  const one = async (): Promise<void> => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) {
      try {
        await work(item);
      } catch (error) {
        left.length = 0;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
}
