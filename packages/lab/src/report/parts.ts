// Small parts that several sections of the report share.
import type { Variant } from '../analysis/summary.ts';
import { colorOf } from '../plot/theme.ts';
import { html } from './html.ts';
import type { Html } from './html.ts';

/** The dot in a variant's colour. */
export function mark(variant: number): Html {
  return html`<span class="dot" style="background:${colorOf(variant)}"></span>`;
}

/** A variant's dot and name, as a heading. */
export function variantTitle(variants: readonly Variant[], index: number): Html {
  return html`<h3>${mark(index)}${variants[index]?.name ?? ''}</h3>`;
}
