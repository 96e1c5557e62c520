// All cases, in the order of the op table.
import type { Case } from '../problem.ts';
import { contractCases } from './contract.ts';
import { convertCases } from './convert.ts';
import { elementwiseCases } from './elementwise.ts';
import { reduceCases } from './reduce.ts';

export function allCases(): Case[] {
  return [...elementwiseCases(), ...convertCases(), ...reduceCases(), ...contractCases()];
}
