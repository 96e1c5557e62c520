// `@athanor/backend-conformance`: one suite that every backend must pass.
export { agreement, conformance, type BackendSettings, type ConformanceOptions, type MakeBackend } from './suite.ts';
export { allCases } from './cases/index.ts';
export { exact, titleOf, type Case, type Problem, type Tolerance } from './problem.ts';
