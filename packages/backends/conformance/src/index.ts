// `@athanor/backend-conformance`: one suite that every backend must pass.
export {
  agreement,
  conformance,
  fuzz,
  type BackendSettings,
  type ConformanceOptions,
  type FuzzOptions,
  type MakeBackend,
} from './suite.ts';
export { campaign, type CampaignOptions, type CampaignResult } from './fuzz/campaign.ts';
export { allCases } from './cases/index.ts';
export { exact, titleOf, type Case, type Problem, type Tolerance } from './problem.ts';
