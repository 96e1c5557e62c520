// The command line: what it means, and what it says about mistakes.
import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';

const messageOf = (...words: string[]): string => {
  try {
    parseOptions(words);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'no error';
};

describe('parseOptions', () => {
  it('has defaults', () => {
    expect(parseOptions([])).toEqual({
      json: undefined,
      only: undefined,
      cases: undefined,
      backends: ['wasm', 'cpu'],
      threads: 1,
      peers: undefined,
      seconds: 5,
      engineFeatures: false,
      firstStep: false,
      profile: undefined,
    });
  });

  it('reads everything', () => {
    const words = '--json out.json --only W1,W5 --case NN-512 --backend wasm,native --threads 2 --no-peers --time 0.5 --engine-features --first-step --profile 7';
    expect(parseOptions(words.split(' '))).toEqual({
      json: 'out.json',
      only: ['W1', 'W5'],
      cases: ['NN-512'],
      backends: ['wasm', 'native'],
      threads: 2,
      peers: [],
      seconds: 0.5,
      engineFeatures: true,
      firstStep: true,
      profile: 7,
    });
  });

  it('takes some peers', () => {
    expect(parseOptions(['--peers', 'torch, torch-tuned'])).toMatchObject({ peers: ['torch', 'torch-tuned'] });
  });

  it('gives nothing when asked for help', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
  });

  it('explains mistakes', () => {
    expect([
      messageOf('--threads', '1.5'),
      messageOf('--time', 'soon'),
      messageOf('--backend', 'wasm,gpu'),
      messageOf('--peers', 'torch,tensorflow'),
      messageOf('--onyl', 'W1'),
    ]).toMatchInlineSnapshot(`
      [
        "--threads 1.5 — give a whole number above 0",
        "--time soon — give a number above 0",
        "--backend gpu — choose among wasm, cpu, native, reference",
        "--peers tensorflow — choose among tfjs-wasm, torch, torch-tuned, torch-channels-last",
        "Unknown option '--onyl' — see --help",
      ]
    `);
  });
});
