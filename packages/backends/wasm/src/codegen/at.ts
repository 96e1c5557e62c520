// Checked access to lists.
import { InternalError } from '@athanor/core/backend';

export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new InternalError(`no element ${index} in a list of ${list.length}`);
  return value;
}
