/** How much is done. */
export interface OperatorScale {
  readonly registries: number;
  /** Over which they are spread evenly, with one scope map and one sync policy in each. */
  readonly namespaces: number;
  readonly quietSeconds: number;
  /** Specs that are changed, one after another. */
  readonly changes: number;
  /** How often the operator is stopped, and how often killed. */
  readonly restarts: number;
  /** Registries that report the progress of a sync. */
  readonly reporters: number;
  readonly reportSeconds: number;
}

export const fullScale: OperatorScale = {
  registries: 1000,
  namespaces: 20,
  quietSeconds: 300,
  changes: 200,
  restarts: 3,
  reporters: 50,
  reportSeconds: 60,
};

/** The same lines in less time, for a first look. */
export const quickScale: OperatorScale = {
  registries: 100,
  namespaces: 5,
  quietSeconds: 60,
  changes: 50,
  restarts: 1,
  reporters: 20,
  reportSeconds: 30,
};
