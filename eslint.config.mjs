// Biome formats and lints. ESLint is here for one rule, which needs the whole type checker: Biome's own
// misses promises whose type comes from the platform (WebCrypto, Web Locks) or from mapped types (Comlink).
import { readdirSync } from "node:fs";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const tsconfigs = readdirSync(import.meta.dirname).filter((name) =>
  /^tsconfig\.(?!base)\w+\.json$/.test(name),
);

export default defineConfig(
  { ignores: ["dist/", ".cache/", "eslint.config.mjs", ".dependency-cruiser.cjs"] },
  {
    files: ["**/*.{ts,tsx,mjs}"],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: tsconfigs, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: { "@typescript-eslint/no-floating-promises": "error" },
  },
);
