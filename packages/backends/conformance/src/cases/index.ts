// All cases, in the order of the op table.
import type { Case } from '../problem.ts';
import { convertCases } from './convert.ts';
import { elementwiseCases } from './elementwise.ts';

export function allCases(): Case[] {
  return [...elementwiseCases(), ...convertCases()];
}
