/** Why a tag is not selected, as it stands after a number of tags; in the order in which a rule looks at them. */
export const leftOutReasons = {
  attached: "signatures and the like, which come with their images",
  excluded: "excluded",
  include: "not matched by include",
  expression: "not matched by the expression",
  noVersion: "no version",
  notComparable: "without a number to compare",
  range: "outside the range of versions",
  preRelease: "pre-releases",
  older: "older than the newest",
  tooBig: "bigger than maxSize",
} as const;

export type LeftOut = keyof typeof leftOutReasons;
