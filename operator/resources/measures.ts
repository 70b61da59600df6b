import { parseQuantity } from "../../common/quantity.ts";

const secondsPer = { s: 1, m: 60, h: 3600 } as const;

/** A duration such as `10m`, in seconds. Its grammar is the schema's to check. */
export function secondsOf(duration: string): number {
  const [, number, unit] = /^([0-9]+)([smh])$/.exec(duration) ?? [];
  return Number(number) * secondsPer[unit as keyof typeof secondsPer];
}

/** A quantity such as `20Gi`, in whole bytes. Its grammar and bounds are the schema's to check. */
export function bytesOf(quantity: string | undefined): number | undefined {
  const number = quantity === undefined ? undefined : parseQuantity(quantity);
  return number === undefined ? undefined : Math.floor(number);
}
