// The probe `window-error`: how wrong last iteration's statistics are at this iteration's weights, as they are and moved
// along with the weights (Yao et al. 2020, arXiv 2002.05712, equations 3 and 4).
import { compile, grad, stack } from '@athanor/core';
import type { Tensor } from '@athanor/core';
import { component } from '@athanor/core/plugin';
import { CrossIterationBatchNorm } from '@athanor/norm';
import { evaluateAt, keepingBuffers, percentiles } from '@athanor/norm/analysis';
import * as z from 'zod';

const names = ['mean.kept', 'mean.moved', 'square.kept', 'square.moved', 'first.kept', 'first.moved'] as const;

/** Errors are ‖estimate − truth‖ over the channels, averaged over the layers; `first`: the mean in the first layer alone. */
export const windowError = component({
  kind: 'probe',
  name: 'window-error',
  summary: 'Error of the last iteration’s statistics at the next weights, kept as they were and moved by Taylor’s first term; plain gradient descent',
  schema: z.strictObject({ every: z.int().min(1).default(5), from: z.int().min(0).default(50).meta({ description: 'the first step that counts for the final numbers' }) }),
  create({ every, from }, { model, loss }) {
    const layers = model.modules().filter((module) => module instanceof CrossIterationBatchNorm);
    const measure = compile((inputs: Tensor, labels: Tensor, lr: number | Tensor) =>
      keepingBuffers(model, () => {
        const parameters = model.parameters();
        const start = parameters.map(({ value }) => value);
        const gradients = grad(loss(inputs, labels), start, { allowUnused: true });
        const stepped = start.map((value, i) => value.sub((gradients[i] ?? value).mul(lr)).detach());
        return evaluateAt(parameters, stepped, () => {
          const kept = layers.map(({ past: [last] }) => [last?.mean.value, last?.square.value]);
          const moved = layers.map((layer) => {
            const [last] = layer.past;
            return last === undefined ? undefined : layer.estimate(last, layer.layer.weight.value);
          });
          loss(inputs, labels);
          const rows = layers.map(({ past: [last] }, i) => {
            const error = (estimate: Tensor | undefined, truth: Tensor | undefined): Tensor => (estimate === undefined || truth === undefined ? stack([]) : estimate.sub(truth).square().sum().sqrt());
            const [mean, square] = [last?.mean.value, last?.square.value];
            return [error(kept[i]?.[0], mean), error(moved[i]?.mean, mean), error(kept[i]?.[1], square), error(moved[i]?.square, square)];
          });
          return stack(rows.flat());
        });
      }),
    );
    return {
      every,
      async measure({ inputs, labels, lr }) {
        const values = await measure(inputs, labels, lr).data();
        const average = (part: number): number => layers.reduce((sum, _, i) => sum + (values[4 * i + part] ?? NaN), 0) / layers.length;
        const rows = [average(0), average(1), average(2), average(3), values[0] ?? NaN, values[1] ?? NaN];
        return Object.fromEntries(names.map((name, i) => [`window.${name}`, rows[i] ?? NaN]));
      },
      summarize(history) {
        const late = (name: string): number => {
          const values = (history.get(`window.${name}`) ?? []).slice(Math.ceil(from / every));
          return values.reduce((sum, value) => sum + value, 0) / values.length;
        };
        const ratio = (name: string): number => late(`${name}.kept`) / late(`${name}.moved`);
        const errors = Object.fromEntries(names.map((name) => [`window.${name}`, late(name)]));
        const worst = percentiles(history.get('window.first.moved') ?? [], [1])[0] ?? NaN;
        return { ...errors, 'window.mean.ratio': ratio('mean'), 'window.square.ratio': ratio('square'), 'window.first.worst': worst };
      },
    };
  },
});
