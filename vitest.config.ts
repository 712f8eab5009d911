import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A file whose server is not installed registers no test, and says so (test/left-out.ts); where all is required that is a failure.
    passWithNoTests: process.env.KEYTURN_REQUIRE_ALL !== '1',
    globalSetup: ['test/global-setup.ts'],
    // The default leaves one core to the machine, which of two is half; the tests mostly wait for servers.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 120_000
  }
})
