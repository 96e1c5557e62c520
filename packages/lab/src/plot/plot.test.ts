// Pictures: they show the numbers that were given, say what the axes measure, and are whole by themselves.
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { drawLines } from './lines.ts';
import { countBins, estimateChart, heatMap, histogram, lineChart } from './index.ts';
import { seriesCount } from './theme.ts';

function parse(svg: string) {
  const { document } = parseHTML(`<html><body>${svg}</body></html>`);
  const texts = [...document.querySelectorAll('text')].map((text) => text.textContent ?? '');
  const numbers = [...document.querySelectorAll('path')].flatMap((path) => [...(path.getAttribute('d') ?? '').matchAll(/-?[\d.]+/g)].map(Number));
  return { document, texts, numbers };
}

const falling = [1, 2, 3].map((x) => ({ x, y: 1 / x, low: 0.9 / x, high: 1.1 / x }));

describe('every picture', () => {
  const pictures = {
    lines: lineChart({ series: [{ name: 'a & <b>', points: falling }, { name: 'c', points: falling }], x: { label: 'step' }, y: { label: 'loss', unit: 'nats' } }),
    dots: estimateChart({ marks: [{ name: 'a & <b>', value: 1, low: 0.5, high: 2, samples: [0.7, 1.3] }], x: { label: 'time', unit: 'ms' } }),
    bars: estimateChart({ as: 'bars', marks: [{ name: 'a & <b>', value: 1, low: 0.5, high: 2 }], x: { label: 'time', unit: 'ms' } }),
    heat: heatMap({ cells: [{ x: 'a & <b>', y: 'c', value: 2 }], x: 'columns', y: 'rows', value: { label: 'norm', unit: 'm' } }),
    histogram: histogram({ series: [{ name: 'a & <b>', values: [1, 2, 2] }, { name: 'c', values: [1] }], x: { label: 'weight', unit: 'kg' } }),
  };

  it.each(Object.entries(pictures))('%s is whole: size, colours for light and dark, units, escaped names', (_, svg) => {
    const { document, texts, numbers } = parse(svg);
    const root = document.querySelector('svg');
    const size = [root?.getAttribute('width'), root?.getAttribute('height')];
    expect(root?.getAttribute('viewBox')).toBe(`0 0 ${size.join(' ')}`);
    expect(root?.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(svg).toContain('prefers-color-scheme:dark');
    expect(texts.some((text) => /\((nats|ms|m|kg)\)/.test(text))).toBe(true);
    expect(texts.some((text) => text.includes('a & <b>'))).toBe(true);
    expect(svg).not.toContain('<b>');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    expect(numbers.every(Number.isFinite)).toBe(true);
    expect(svg.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import/);
  });
});

describe('lineChart', () => {
  it('places values by its scales, as percent where asked', () => {
    const { svg, x, y } = drawLines({ series: [{ name: 'a', points: [{ x: 0, y: 0.25 }, { x: 10, y: 0.75 }] }], x: { label: 'step' }, y: { label: 'accuracy', percent: true, domain: [0, 1] } });
    expect(y?.domain).toEqual([0, 100]);
    const [top = 0, bottom = 0] = [y?.range[1], y?.range[0]];
    const at = (share: number) => Number((bottom + (top - bottom) * share).toFixed(2));
    const path = parse(svg).document.querySelector('[aria-label="line"] path')?.getAttribute('d');
    expect(path).toBe(`M${x?.range[0]},${at(0.25)}L${x?.range[1]},${at(0.75)}`);
    expect(parse(svg).texts).toContain('↑ accuracy (%)');
  });

  it('writes small steps on an axis with the digits that tell them apart', () => {
    const { texts } = parse(lineChart({ series: [{ name: 'a', points: [{ x: 0, y: 0.441 }, { x: 1, y: 0.444 }] }], x: { label: 'x' }, y: { label: 'y' } }));
    const ticks = texts.filter((text) => text.startsWith('0.44'));
    expect(ticks.length).toBeGreaterThan(2);
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('draws a band where there is one, and a gap where a value is not finite', () => {
    const broken = [{ x: 0, y: 1 }, { x: 1, y: 2 }, { x: 2, y: NaN }, { x: 3, y: 1 }, { x: 4, y: 2 }];
    const { document } = parse(lineChart({ series: [{ name: 'a', points: falling }, { name: 'b', points: broken }], x: { label: 'x' }, y: { label: 'y' } }));
    expect(document.querySelectorAll('[aria-label="area"] path')).toHaveLength(1);
    const paths = [...document.querySelectorAll('[aria-label="line"] path')].map((path) => path.getAttribute('d')?.split('M').length);
    expect(paths).toEqual([2, 3]);
  });

  it('leaves out what a logarithm cannot show, and names powers of ten', () => {
    const points = [{ x: 0, y: 0 }, { x: 1, y: 0.01 }, { x: 2, y: 100 }];
    const { texts, document } = parse(lineChart({ series: [{ name: 'a', points }], x: { label: 'x' }, y: { label: 'y', scale: 'log' } }));
    expect(texts).toEqual(expect.arrayContaining(['0.01', '0.1', '1', '10', '100']));
    expect(document.querySelectorAll('[aria-label="dot"] circle')).toHaveLength(2);
  });

  it('tells more series apart than there are colours', () => {
    const series = Array.from({ length: 2 * seriesCount }, (_, index) => ({ name: `s${index}`, points: falling }));
    const { document } = parse(lineChart({ series, x: { label: 'x' }, y: { label: 'y' } }));
    const looks = [...document.querySelectorAll('[aria-label="line"]')].map((line) => `${line.getAttribute('stroke')} ${line.getAttribute('stroke-dasharray')}`);
    expect(new Set(looks).size).toBe(series.length);
  });
});

describe('estimateChart', () => {
  it('shows value, interval and samples of each series in its row', () => {
    const marks = ['2', '32'].flatMap((name) => ['batch', 'group'].map((series) => ({ name, series, value: 3, low: 1, high: 4, samples: [2, 3.5] })));
    const { document, texts } = parse(estimateChart({ marks, x: { label: 'loss' }, rowLabel: 'batch size' }));
    expect(texts).toEqual(expect.arrayContaining(['batch', 'group', '2', '32', 'batch size', 'loss →']));
    expect(document.querySelectorAll('[aria-label="link"] path')).toHaveLength(4);
    expect(document.querySelectorAll('[aria-label="dot"] circle')).toHaveLength(2 * 4 + 2);
  });

  it('begins bars at 0', () => {
    const { document } = parse(estimateChart({ as: 'bars', marks: [{ name: 'a', value: 90 }, { name: 'b', value: 100 }], x: { label: 'ms' } }));
    const [a, b] = [...document.querySelectorAll('[aria-label="bar"] rect')].map((bar) => Number(bar.getAttribute('width')));
    expect((a ?? 0) / (b ?? 1)).toBeCloseTo(0.9, 2);
  });
});

describe('heatMap', () => {
  it('writes each number, shades from least to greatest, and marks what is no number', () => {
    const cells = [['a', 0.1], ['b', 0.9], ['c', NaN]].map(([x, value]) => ({ x: String(x), y: 'row', value: Number(value) }));
    const { document, texts } = parse(heatMap({ cells, x: 'column', y: '', value: { label: 'accuracy', percent: true } }));
    expect(texts).toEqual(expect.arrayContaining(['10.0', '90.0', 'NaN', 'accuracy (%)', '10', '90']));
    const shades = [...document.querySelectorAll('[aria-label="cell"] rect')].map((cell) => cell.getAttribute('fill-opacity'));
    expect(shades).toEqual(['0.05', '0.9', '0.5']);
  });

  it('writes numbers with four digits', () => {
    const { texts } = parse(heatMap({ cells: [{ x: 'a', y: 'b', value: 0.12345 }], x: 'x', y: 'y', value: { label: 'v' } }));
    expect(texts).toContain('0.1235');
  });

  it('has two colours around a center', () => {
    const cells = [-2, 0, 1].map((value) => ({ x: String(value), y: 'row', value }));
    const { document } = parse(heatMap({ cells, x: 'x', y: 'y', value: { label: 'difference' }, center: 0 }));
    const fills = [...document.querySelectorAll('[aria-label="cell"] rect')].map((cell) => cell.getAttribute('fill'));
    expect(fills).toEqual(['var(--low)', 'var(--high)', 'var(--high)']);
  });
});

describe('histogram', () => {
  it('counts every finite value once, the greatest in the last bin', () => {
    const bins = countBins([0, 0.5, 1, 2, 4, NaN, Infinity], { bins: 4, low: 0, high: 4 });
    expect(bins).toEqual([
      { low: 0, high: 1, count: 2 },
      { low: 1, high: 2, count: 1 },
      { low: 2, high: 3, count: 1 },
      { low: 3, high: 4, count: 1 },
    ]);
  });

  it('draws values that are all the same, and none', () => {
    expect(parse(histogram({ series: [{ name: 'a', values: [3, 3] }], x: { label: 'x' }, bins: 5 })).document.querySelectorAll('[aria-label="rect"] rect')).toHaveLength(5);
    expect(histogram({ series: [{ name: 'a', values: [] }], x: { label: 'x' } })).not.toContain('NaN');
  });
});
