// What plugin authors and experiments rely on: references, defaults, and messages that say what to do.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { component, componentRef, definePlugin, didYouMean, nearest, Registry } from './index.ts';
import type { ComponentRef } from './index.ts';

declare module '@athanor/core/plugin' {
  interface ComponentKinds {
    shape: { area: number };
  }
  interface ComponentContexts {
    shape: { scale: number };
  }
}

const shapes = definePlugin({
  name: '@example/shapes',
  components: [
    component({
      kind: 'shape',
      name: 'square',
      summary: 'a square',
      schema: z.strictObject({ side: z.number().positive().default(1) }),
      create: ({ side }, { scale }) => ({ area: side * side * scale }),
    }),
    component({
      kind: 'shape',
      name: 'circle',
      summary: 'a circle',
      schema: z.strictObject({ radius: z.number().positive() }),
      create: ({ radius }, { scale }) => ({ area: Math.PI * radius * radius * scale }),
    }),
    component({
      kind: 'shape',
      name: 'group',
      summary: 'several shapes',
      schema: z.strictObject({
        parts: z.array(componentRef('shape')).default(['square']),
        mode: z.enum(['sum', 'largest']).default('sum'),
        frame: componentRef('shape').optional(),
        repeat: z.union([z.int().min(1), z.strictObject({ rows: z.int(), columns: z.int() })]).optional(),
      }),
      create: ({ parts, mode }, { make, scale }) => {
        const areas = parts.map((part) => make('shape', part, { scale }).area);
        return { area: mode === 'sum' ? areas.reduce((a, b) => a + b, 0) : Math.max(...areas) };
      },
    }),
  ],
});

const registry = new Registry([shapes]);
const messages = (ref: ComponentRef) =>
  registry.resolve('shape', ref).issues.map(({ path, message, at }) => `${path.map(String).join('.')} (${at}): ${message}`);

describe('Registry', () => {
  it('makes a component and the components that its config names, with defaults', () => {
    expect(registry.make('shape', 'square', { scale: 2 }).area).toBe(2);
    const group = { name: 'group', parts: ['square', { name: 'square', side: 3 }, 'group'] };
    expect(registry.make('shape', group, { scale: 1 }).area).toBe(11);
  });

  it('fills in defaults at every depth', () => {
    expect(registry.resolve('shape', { name: 'group', frame: 'group', parts: [] })).toEqual({
      issues: [],
      ref: {
        name: 'group',
        parts: [],
        mode: 'sum',
        frame: { name: 'group', parts: [{ name: 'square', side: 1 }], mode: 'sum' },
      },
    });
  });

  it('does not change the config that it is given', () => {
    const ref = { name: 'group', parts: ['square'] };
    registry.resolve('shape', ref);
    expect(ref).toEqual({ name: 'group', parts: ['square'] });
  });

  it('tells every mistake at once, at every depth', () => {
    const ref = {
      name: 'group',
      mode: 'summ',
      Parts: [],
      parts: [{ name: 'square', sid: 2, colour: 'red' }, 'sqare', { name: 'circle' }, { name: 'circle', radius: -1 }, 7],
      frame: { name: 'group', parts: [{ name: 'square', side: 'wide' }] },
      repeat: { rows: 1.5, columns: 2 },
    };
    expect(messages(ref)).toMatchInlineSnapshot(`
      [
        "parts.4 (value): expected a shape: its name, or { name: …, and its config }",
        "mode (value): "summ" is not one of "sum", "largest" — did you mean "sum"?",
        "repeat.rows (value): expected a whole number, got 1.5",
        "Parts (key): unknown key "Parts" — did you mean "parts"?",
        "parts.0.sid (key): unknown key "sid" — did you mean "side"?",
        "parts.0.colour (key): unknown key "colour" (known keys: side)",
        "parts.1 (value): unknown shape "sqare" — did you mean "square"?",
        "parts.2.radius (value): missing; expected a number",
        "parts.3.radius (value): must be more than 0, got -1",
        "frame.parts.0.side (value): expected a number, got "wide"",
      ]
    `);
  });

  it('says that there are no keys', () => {
    const bare = definePlugin({
      name: 'bare',
      components: [component({ kind: 'shape', name: 'point', summary: 'a point', schema: z.strictObject({}), create: () => ({ area: 0 }) })],
    });
    const { issues } = new Registry([bare]).resolve('shape', { name: 'point', size: 3 });
    expect(issues.map(({ message }) => message)).toEqual(['unknown key "size" (there are no keys here)']);
  });

  it('lists components by kind and name', () => {
    expect(registry.list('shape').map((entry) => `${entry.package} ${entry.component.name}`)).toEqual([
      '@example/shapes circle',
      '@example/shapes group',
      '@example/shapes square',
    ]);
    expect(registry.list('norm')).toEqual([]);
  });

  it('refuses two components of one kind and name', () => {
    const other = definePlugin({ name: 'mine', components: shapes.components.slice(0, 1) });
    expect(() => new Registry([shapes, other])).toThrowErrorMatchingInlineSnapshot(`[UserError: both @example/shapes and mine have a shape named "square" — load only one of the two plugins, or rename one of the components]`);
  });

  it('names the nearest component, or all that there are', () => {
    expect(() => registry.get('shape', 'sqaure')).toThrowErrorMatchingInlineSnapshot(`[UserError: unknown shape "sqaure" — did you mean "square"?]`);
    expect(() => registry.get('shape', 'dodecahedron')).toThrowErrorMatchingInlineSnapshot(`[UserError: unknown shape "dodecahedron": there are circle, group, square (plugins loaded: @example/shapes)]`);
    expect(() => new Registry().get('shape', 'square')).toThrowErrorMatchingInlineSnapshot(`[UserError: unknown shape "square": no plugin has a shape (plugins loaded: none)]`);
  });

  it('refuses a wrong config when a component is made', () => {
    expect(() => registry.make('shape', { name: 'square', side: 0 }, { scale: 1 })).toThrowErrorMatchingInlineSnapshot(`[UserError: shape.square.side: must be more than 0, got 0]`);
  });
});

describe('componentRef', () => {
  it('marks its place in the JSON Schema', () => {
    const json = z.toJSONSchema(z.strictObject({ norm: componentRef('norm') }), { io: 'input' });
    expect(json.properties?.['norm']).toMatchObject({ component: 'norm' });
  });
});

describe('nearest', () => {
  it.each([
    ['bach', ['batch', 'layer', 'seed'], ['batch']],
    ['BatchNorm', ['batch-norm', 'layer-norm'], ['batch-norm']],
    ['momentm', ['momentum', 'moment'], ['moment', 'momentum']],
    ['lr', ['learningRate', 'lr2'], ['lr2']],
    ['x', ['y'], []],
    ['zzz', ['batch'], []],
  ])('%s among %j is %j', (word, known, expected) => {
    expect(nearest(word, known)).toEqual(expected);
  });

  it('asks with one, two or three words', () => {
    expect(didYouMean('test', ['tests', 'tost', 'zebra'])).toBe(' — did you mean "tests" or "tost"?');
    expect(didYouMean('zebra', ['batch'])).toBe('');
  });
});
