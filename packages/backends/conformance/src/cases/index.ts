// All cases, in the order of the op table.
import type { Case } from '../problem.ts';
import { assignCases } from './assign.ts';
import { chainCases } from './chain.ts';
import { columnCases } from './columns.ts';
import { convertCases } from './convert.ts';
import { convolutionCases } from './convolution.ts';
import { edgeCases } from './edge.ts';
import { elementwiseCases } from './elementwise.ts';
import { foundCases } from './found.ts';
import { indexingCases } from './indexing.ts';
import { largeCases } from './large.ts';
import { productCases } from './product.ts';
import { reduceCases } from './reduce.ts';
import { routineCases } from './routine.ts';

export function allCases(): Case[] {
  return [
    ...elementwiseCases(),
    ...convertCases(),
    ...edgeCases(),
    ...reduceCases(),
    ...productCases(),
    ...convolutionCases(),
    ...chainCases(),
    ...columnCases(),
    ...indexingCases(),
    ...routineCases(),
    ...assignCases(),
    ...largeCases(),
    ...foundCases(),
  ];
}
