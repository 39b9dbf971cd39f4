import { defineConfig } from "vitest/config";

/** How long `expect.poll` goes on by default, in milliseconds: the machine may be busy with the other workers. */
const expectations = { poll: { timeout: 20_000 } };

export default defineConfig({
  test: {
    reporters: ["default", "./test/support/summary-reporter.ts"],
    // Most tests wait for servers and processes, so more of them than cores run at once.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/architecture/**/*.test.ts", "test/chaos/model.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          expect: expectations,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts"],
          exclude: ["test/chaos/model.test.ts"],
          globalSetup: ["test/support/global-setup.ts"],
          // Each has a server and fifty processes of its own: one after the other.
          fileParallelism: false,
          testTimeout: 1_800_000,
          expect: expectations,
        },
      },
    ],
  },
});
