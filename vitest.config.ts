import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["watchkeeper-source"] },
  ssr: { resolve: { conditions: ["watchkeeper-source"] } },
  test: {
    include: [
      "packages/*/test/**/*.test.ts",
      "tools/**/*.test.ts",
      "bench/test/**/*.test.ts",
      "test/checkers/*.test.ts",
    ],
    setupFiles: ["test/support/property-seed.ts"],
    testTimeout: 60_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
