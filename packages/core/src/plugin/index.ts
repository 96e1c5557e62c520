// The plugin layer, `@athanor/core/plugin`: components, plugins and the registry. The only part of core that needs zod.
export { component, definePlugin } from './component.ts';
export type { AnyComponent, Component, ComponentContext, ComponentDefinition, Make, Plugin } from './component.ts';
export { explainIssues } from './issues.ts';
export type { ConfigIssue } from './issues.ts';
// A star, because only what a star exports can be merged into by other packages.
export type * from './kinds.ts';
export { didYouMean, nearest } from './nearest.ts';
export { componentRef, findFiles, findReferences, splitRef } from './reference.ts';
export type { ComponentRef, FoundReference } from './reference.ts';
export { Registry } from './registry.ts';
export type { Registered, Resolved } from './registry.ts';
