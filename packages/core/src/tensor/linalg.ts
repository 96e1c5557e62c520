// Factorisations of matrices [..., n, n]: routines, which never fuse.
import { cholesky as choleskyNode, eigh as eighNode, triangularSolve as triangularSolveNode } from '../graph/combine.ts';
import type { Tensor } from './tensor.ts';

/** Eigenvalues [..., n], ascending, and eigenvectors [..., n, n] in columns, of symmetric matrices. */
export function eigh(x: Tensor): { values: Tensor; vectors: Tensor } {
  return { values: x.wrap(eighNode(x.node, 'values')), vectors: x.wrap(eighNode(x.node, 'vectors')) };
}

/** The lower triangular L with L Lᵀ = x, of symmetric positive definite matrices. */
export function cholesky(x: Tensor): Tensor {
  return x.wrap(choleskyNode(x.node));
}

/** X with a X = b (or aᵀ X = b), for triangular a [..., n, n] and b [..., n, k]. */
export function solveTriangular(a: Tensor, b: Tensor, options: { readonly upper?: boolean; readonly transpose?: boolean } = {}): Tensor {
  const { upper = false, transpose = false } = options;
  return b.wrap(triangularSolveNode(a.node, b.node, { lower: !upper, transpose, unitDiagonal: false }));
}
