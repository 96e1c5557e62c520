// Colours of everything that is drawn: told apart by colour-blind readers, readable on light and on dark.

/** After Okabe and Ito, in an order that keeps neighbours apart in hue and in lightness. */
const series = {
  light: ['#0072b2', '#d98e00', '#009e73', '#c8480a', '#8a5fbf', '#b8578f', '#3c9dc4', '#6f6f6f'],
  dark: ['#4fb0ea', '#f0b135', '#37c99a', '#ff8c57', '#b596ea', '#e693c4', '#9bdcf5', '#a9a9a9'],
} as const;

/** How many series have a colour of their own; further ones repeat them with other dashes and symbols. */
export const seriesCount = series.light.length;

/** The colour of the series at `index`, wherever {@link themeRules} holds. */
export function colorOf(index: number): string {
  return `var(--series-${index % seriesCount})`;
}

/** `high` and `low` are the shades of heat maps: `text` can be read on both. */
const plain = {
  light: { text: '#1c2024', soft: '#60646c', ground: '#fcfcfd', panel: '#f1f2f4', line: '#dcdfe4', accent: '#0072b2', right: '#00795a', wrong: '#c0392b', high: '#2a8fd0', low: '#e0862a' },
  dark: { text: '#e8eaed', soft: '#a2a8b1', ground: '#16181c', panel: '#202329', line: '#353a42', accent: '#56b4e9', right: '#4cc9a0', wrong: '#ff8a75', high: '#2b7dbd', low: '#b5651d' },
} as const;

/** Style rules that define all colours as variables on `selector`, light or dark as the reader's system is. */
export function themeRules(selector: string): string {
  const variables = (look: 'light' | 'dark') =>
    [
      ...Object.entries(plain[look]).map(([name, color]) => `--${name}:${color}`),
      ...series[look].map((color, index) => `--series-${index}:${color}`),
    ].join(';');
  return `${selector}{color-scheme:light dark;${variables('light')}}@media(prefers-color-scheme:dark){${selector}{${variables('dark')}}}`;
}
