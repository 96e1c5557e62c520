// All cases, in the order of the op table.
import type { Case } from '../problem.ts';
import { assignCases } from './assign.ts';
import { chainCases } from './chain.ts';
import { contractCases } from './contract.ts';
import { convertCases } from './convert.ts';
import { elementwiseCases } from './elementwise.ts';
import { reduceCases } from './reduce.ts';

export function allCases(): Case[] {
  return [...elementwiseCases(), ...convertCases(), ...reduceCases(), ...contractCases(), ...chainCases(), ...assignCases()];
}
