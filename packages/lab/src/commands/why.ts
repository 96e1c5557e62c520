// `athanor why`: why a run's stages were computed, or taken over, or would run again now.
import { relative } from 'node:path';
import { UserError } from '@athanor/core';
import { didYouMean } from '@athanor/core/plugin';
import type { ComponentRef } from '@athanor/core/plugin';
import { computingPackages } from '../plugins/installed.ts';
import { openRegistry } from '../plugins/open.ts';
import { readReason } from '../run/stage-record.ts';
import type { StageReason } from '../run/stage-record.ts';
import { pluginCode, stageStandings } from '../run/stage-state.ts';
import type { StageContext, StageStanding } from '../run/stage-state.ts';
import { findStudy, stageFolder, stageNames } from '../run/study.ts';
import type { Run, Study } from '../run/study.ts';
import { defineCommand } from './command.ts';

export const why = defineCommand({
  usage: 'why <run> [stage]',
  summary: 'say why stages ran, were taken over, or would run again',
  positionals: {
    run: { type: 'string', demandOption: true, describe: "name or folder of a run, or of one of its jobs' folders" },
    stage: { type: 'string', describe: 'only this stage' },
  },
  run: async ({ run: name, stage }, { out, runs, dataDir }) => {
    const study = findStudy(name, runs);
    const chosen = runsNamed(study, name);
    const names = [...new Set(chosen.flatMap(stageNames))];
    if (stage !== undefined && !names.includes(stage)) {
      throw new UserError(`there is no stage ${JSON.stringify(stage)}${didYouMean(stage, names)}`, { remedy: `stages: ${names.join(', ')}` });
    }
    const backends = study.runs.map(({ config }) => config.backend).filter((ref): ref is ComponentRef => ref !== undefined);
    const context: StageContext = {
      registry: await openRegistry(study.record, backends),
      packages: computingPackages(process.cwd()),
      code: await pluginCode(study.record),
      dataDir,
    };
    out(chosen.map((run) => explainRun(run, context, stage)).join('\n'));
  },
});

/** The run whose folder was named, or all. */
function runsNamed({ runs }: Study, name: string): readonly Run[] {
  const named = runs.filter(({ folder }) => relative(folder, name) === '');
  return named.length > 0 ? named : runs;
}

function explainRun(run: Run, context: StageContext, only: string | undefined): string {
  const lines = stageStandings(run, context).flatMap((standing, index) =>
    only === undefined || standing.name === only ? explainStage(standing, readReason(stageFolder(run, index))) : [],
  );
  return [run.name, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** What happened, and what would happen now. */
function explainStage({ name, state, changes }: StageStanding, reason: StageReason | undefined): string[] {
  const past = state === 'waiting' ? [] : [`${name} ${pastOf(reason)}`];
  switch (state) {
    case 'stale':
      return [...past, `${name} would run again: ${changes.join('; ')}`];
    case 'done':
      return past;
    case 'begun':
      return [...past, `${name} goes on from its last checkpoint`];
    case 'waiting':
    case 'reusable':
      return [`${name} has not run yet`];
    default:
      return state satisfies never;
  }
}

function pastOf(reason: StageReason | undefined): string {
  if (reason === undefined) return 'ran before reasons were recorded';
  const when = reason.when.slice(0, 16).replace('T', ' ');
  if (reason.what === 'reused') return `was taken from ${reason.other ?? 'another run'} (${when}), which had computed the same`;
  if (reason.changes.length === 0) return `ran (${when}): nothing like it had been computed`;
  return `ran (${when}): ${reason.changes.join('; ')}${reason.other === undefined ? '' : `, compared with ${reason.other}`}`;
}
