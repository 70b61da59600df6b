/**
 * Does `work` for each of `items`, `width` at a time, and gives the results in the order of the items. Work is begun
 * when its turn comes, not queued: thousands of waiting promises outlive the young generation, and the memory with them.
 *
 * @throws the first failure, once nothing runs any more; what was not begun is not done
 */
export async function pool<T, R>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const left = [...items].entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of left) {
      if (failures.length > 0) return;
      try {
        results[i] = await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
