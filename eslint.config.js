import tseslint from "typescript-eslint"

const bareGlobals = [
  { object: "Date", property: "now", message: "Time comes from effect's Clock." },
  { object: "Math", property: "random", message: "Random ids come from Entropy, jitter from effect's Random." },
  { object: "performance", property: "now", message: "Time comes from effect's Clock; the event loop from Turn." }
]
const timers = ["setTimeout", "setInterval", "setImmediate"].map((name) => ({
  name,
  message: "Timers come from effect's Clock; the event loop from Turn."
}))

export default tseslint.config(
  { ignores: ["dist/", "bin/", "coverage/", "**/node_modules/"] },
  ...tseslint.configs.recommended,
  {
    rules: {
      "no-console": "error",
      eqeqeq: "error",
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-empty-object-type": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "require-yield": "off"
    }
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          paths: [
            { name: "effect", message: "Import the module: effect/Effect." },
            { name: "@effect/platform", message: "Import the module: @effect/platform/FileSystem." }
          ]
        }
      ],
      "no-restricted-properties": ["error", ...bareGlobals],
      "no-restricted-globals": ["error", ...timers]
    }
  },
  {
    // the places that stand between the library and the platform's clockwork
    files: ["src/Turn.ts", "src/Entropy.ts", "src/internal/ports/nextTurn.ts"],
    rules: { "no-restricted-properties": "off", "no-restricted-globals": "off" }
  },
  {
    files: ["bench/**", "examples/**"],
    rules: { "no-console": "off" }
  }
)
