// One test run for the whole repository; packages are read from their sources, so no build is needed.
import { defineConfig } from 'vitest/config'
import { defaultServerConditions } from 'vite'

const conditions = ['@athanor/source', ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  oxc: { target: 'es2023' },
  test: {
    include: ['packages/**/src/**/*.test.ts', 'bench/src/**/*.test.ts', 'experiments/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: 2,
    // A busy machine is not a failure: this only ends what hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
