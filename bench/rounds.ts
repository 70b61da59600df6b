/** Measures something once. */
export type Measure<T> = () => Promise<T>;

/**
 * Measures each of `contestants` once a round, so that whatever else the machine does meets all of them alike. Who goes
 * first and who goes after whom changes from round to round. A round before the first is not counted.
 *
 * @returns for each what was measured, by round
 */
export async function alternate<Name extends string, T>(
  rounds: number,
  contestants: Readonly<Partial<Record<Name, Measure<T>>>>,
  progress: (fraction: number) => void,
): Promise<Readonly<Record<Name, readonly T[]>>> {
  const names = Object.keys(contestants) as Name[];
  const found = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>;
  for (let round = -1; round < rounds; round++) {
    const turn = (round + names.length) % names.length;
    const order = [...names.slice(turn), ...names.slice(0, turn)];
    if (Math.floor(round / names.length) % 2 !== 0) order.reverse();
    for (const name of order) {
      const value = await contestants[name]?.();
      if (round >= 0 && value !== undefined) found[name].push(value);
    }
    progress((round + 2) / (rounds + 1));
  }
  return found;
}
