import jest from "eslint-plugin-jest";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const time = "Time comes only from common/clock.ts, so that tests never sleep.";

export default defineConfig(
  { ignores: ["dist/", "node_modules/", "**/*.gen.ts", "**/*.js", "**/*.cjs"] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: false },
      ],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/no-unnecessary-condition": ["error", { allowConstantLoopConditions: true }],
      "@typescript-eslint/require-await": "off",
      "no-console": "error",
      "no-restricted-globals": [
        "error",
        { name: "setTimeout", message: time },
        { name: "setInterval", message: time },
      ],
      "no-restricted-syntax": [
        "error",
        {
          selector: "BinaryExpression[operator='instanceof'][right.name='Error']",
          message: "Not true across realms (Jest): use hasCode or messageOf of common/errors.ts.",
        },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: time },
        { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: time },
        {
          selector: "CallExpression[callee.object.name='DateTime'][callee.property.name=/^(now|utc|local)$/]",
          message: time,
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: "The environment is read in main.ts only.",
        },
      ],
    },
  },
  {
    files: ["common/clock.ts"],
    rules: { "no-restricted-globals": "off", "no-restricted-syntax": "off" },
  },
  {
    files: ["**/main.ts", "e2e/**", "crds/**", "manifests/**", "bench/**"],
    rules: { "no-console": "off", "no-restricted-syntax": "off" },
  },
  {
    files: ["e2e/**", "manifests/**", "bench/**"],
    rules: { "no-restricted-globals": "off" },
  },
  {
    files: ["**/*.test.ts", "**/conformance.ts", "**/testing/**"],
    plugins: { jest },
    rules: {
      ...jest.configs["flat/recommended"].rules,
      "jest/no-standalone-expect": "off",
      "jest/expect-expect": ["error", { assertFunctionNames: ["expect*", "**.expect*"] }],
      "jest/no-export": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
);
