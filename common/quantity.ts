const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a Kubernetes quantity such as `500Gi` or `50m` stands for; `undefined` if it is none. */
export function parseQuantity(text: string): number | undefined {
  const [, number, exponent, suffix] =
    /^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:[eE]([+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text) ??
    [];
  if (number === undefined) return undefined;
  return Number(number) * (exponent === undefined ? (factors[suffix ?? ""] ?? 1) : 10 ** Number(exponent));
}
