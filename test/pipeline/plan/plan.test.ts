import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/pipeline/config/resolve.js';
import type { Config } from '../../../src/pipeline/config/schema.js';
import type { Dataset } from '../../../src/pipeline/data/dataset.js';
import { partInputs } from '../../../src/pipeline/parts.js';
import { settingsOf } from '../../../src/pipeline/plan/changes.js';
import type { StageState } from '../../../src/pipeline/plan/observe.js';
import { type PlanSource, planRun } from '../../../src/pipeline/plan/plan.js';
import { requireStages } from '../../../src/pipeline/plan/requireStages.js';
import { describePlan } from '../../../src/pipeline/plan/words.js';
import { hashedInputs, inputsOf, nameOfInputs } from '../../../src/pipeline/stageInputs.js';
import { type Stage, stagesOf } from '../../../src/pipeline/stageList.js';
import { hashInputs, type Plain, plainCopy, type StageRecord } from '../../../src/pipeline/store/manifest.js';

const ROWS = 'evaluate.rows=[mkdt, trajectoryMatchingOnSsl]';
const configOf = (...sets: string[]): Config =>
  resolveConfig({ preset: 'tiny-test', sets: ['experts.count=5', ...sets], seed: 1 });

const dataset = {
  train: { count: 200, labels: null },
  test: { count: 100, labels: null },
} as unknown as Dataset;
const known = { dataset, data: hashInputs('images'), tuning: undefined, given: undefined };
const sourceOf = (config: Config, others: Partial<PlanSource> = {}): PlanSource => ({
  ...known,
  config,
  ...others,
});

type States = Map<Stage['name'], StageState>;
const nothing: StageState = { flaws: [], parts: {}, checkpoint: null };

/** The folder of a finished run. */
function finished(config: Config): States {
  const artefacts = (name: string) => ({ [`${name}.file`]: hashInputs(name) });
  const folder = { artefactHash: (name: string) => hashInputs(artefacts(name)) };
  return new Map(
    stagesOf(config).map((stage) => {
      const source = { ...known, config, folder };
      const reads = inputsOf(stage, source);
      const partReads = hashedInputs(inputsOf({ ...stage, reads: stage.partReads ?? stage.reads }, source));
      const parts = (stage.parts?.(config) ?? []).map((part) => [part, partInputs(partReads, part)]);
      const record: StageRecord = {
        inputs: nameOfInputs(reads),
        artefacts: artefacts(stage.name),
        reads: plainCopy({ ...reads }),
      };
      return [stage.name, { ...nothing, record, parts: Object.fromEntries(parts) }];
    }),
  );
}

/** The folder of a run that was broken off in a stage, with a checkpoint there where `done` says. */
function brokenOff(config: Config, at: Stage['name'], done?: number): States {
  const states = finished(config);
  const stages = stagesOf(config);
  const first = stages.findIndex(({ name }) => name === at);
  for (const [index, { name }] of stages.entries()) {
    if (index < first) continue;
    const { parts, record } = states.get(name)!;
    const checkpoint = index === first && done !== undefined ? { inputs: record!.inputs, done } : null;
    states.set(name, { ...nothing, checkpoint, parts: index === first ? parts : {} });
  }
  return states;
}

const lines = (states: States, config: Config, others: Partial<PlanSource> = {}): string[] =>
  describePlan(planRun(states, sourceOf(config, others)));
const lineOf = (stage: string, told: readonly string[]): string | undefined =>
  told.find((line) => line.split(':')[0]!.split(', ').includes(stage));

describe('a plan', () => {
  it('of an empty folder runs everything', () => {
    const config = configOf(ROWS);
    const empty = new Map(stagesOf(config).map(({ name }) => [name, nothing]));
    expect(lines(empty, config)).toEqual([
      'teacher, targets, experts, subset, distil, selfSupervisedExperts, selfSupervised, evaluate: run',
    ]);
  });

  it('of a finished run runs nothing', () => {
    const config = configOf(ROWS);
    expect(planRun(finished(config), sourceOf(config)).map(({ action }) => action)).toEqual(
      stagesOf(config).map(() => 'done'),
    );
    expect(lines(finished(config), config)).toEqual([
      'Every stage is done and unchanged; the report is written anew.',
    ]);
  });

  it('names the setting that has changed, and what stands behind it', () => {
    const states = finished(configOf(ROWS, 'distil.iterations=240'));
    expect(lines(states, configOf(ROWS, 'distil.iterations=300'))).toEqual([
      'teacher, targets, experts, subset: done',
      'distil: runs again: distil.iterations was 240 and is 300',
      'selfSupervisedExperts, selfSupervised: done',
      'evaluate: runs again if distil leaves other bytes than before',
    ]);
  });

  it('counts the experts that are there', () => {
    const config = configOf();
    const states = brokenOff(config, 'experts');
    const { parts } = states.get('experts')!;
    states.set('experts', {
      ...nothing,
      parts: { '000': parts['000']!, '003': parts['003']!, '004': 'of others' },
    });
    expect(lineOf('experts', lines(states, config))).toBe('experts: 2 of 5 are there, 3 are missing');
    const more = configOf('experts.count=7');
    expect(lineOf('experts', lines(finished(config), more))).toBe(
      'experts: runs again: experts.count was 5 and is 7; 5 of 7 are there, 2 are missing',
    );
    expect(lineOf('subset', lines(finished(config), more))).toBe(
      'subset, distil: run again: experts.count was 5 and is 7',
    );
  });

  it('says where a stage goes on, but not from the checkpoint of other inputs', () => {
    const config = configOf('teacher.steps=400');
    expect(lines(brokenOff(config, 'teacher', 120), config)[0]).toBe(
      'teacher: goes on after 120 of 400 steps (checkpoint)',
    );
    expect(lines(brokenOff(config, 'teacher', 120), configOf('teacher.steps=500'))[0]).toMatch(
      /^teacher, .*: run$/,
    );
    expect(lineOf('targets', lines(brokenOff(config, 'targets', 250), config))).toBe(
      'targets: goes on after 250 of 300 images (checkpoint)',
    );
  });

  it('names files that are missing or were changed', () => {
    const config = configOf();
    const states = finished(config);
    const flaw = (file: string, state: 'missing' | 'changed') => ({ flaws: [{ file, state }] });
    states.set('subset', { ...states.get('subset')!, ...flaw('subset.safetensors', 'changed') });
    states.set('evaluate', { ...states.get('evaluate')!, ...flaw('evaluation.json', 'missing') });
    expect(lines(states, config)).toEqual([
      'teacher, targets, experts: done',
      'subset: runs again: subset.safetensors has changed since it was written',
      'distil: runs again if subset leaves other bytes than before',
      'evaluate: runs again: evaluation.json is missing',
    ]);
  });

  it('tells the seed, the data, the tuning and given representations apart', () => {
    const states = finished(configOf());
    const config = { ...configOf(), seed: 2 };
    const others = { data: hashInputs('others'), tuning: 'measured', given: hashInputs('given') };
    expect(lines(states, config, others)[0]).toMatch(
      /: run again: seed was 1 and is 2; its images or labels are others; the block sizes .* others; the representations of targets.from are others$/,
    );
  });

  it('says that a stage before left something else since, and that it does not know', () => {
    const config = configOf();
    const states = finished(config);
    const evaluate = states.get('evaluate')!;
    const reads = evaluate.record!.reads as unknown as { artefacts: Record<string, string> };
    const elsewhere = { ...reads, artefacts: { ...reads.artefacts, distil: hashInputs('x') } };
    const record = { ...evaluate.record!, reads: plainCopy(elsewhere) };
    states.set('evaluate', { ...evaluate, record });
    expect(lineOf('evaluate', lines(states, config))).toBe(
      'evaluate: runs again: what distil left is not what it was made from',
    );
    for (const reads of [undefined, { seed: 'one' }]) {
      const { reads: _, ...old } = record;
      const kept = { ...old, ...(reads === undefined ? {} : { reads }) };
      states.set('evaluate', { ...evaluate, record: kept });
      expect(lines(states, config)).toHaveLength(1);
      states.set('evaluate', { ...evaluate, record: { ...kept, inputs: hashInputs('x') } });
      expect(lineOf('evaluate', lines(states, config))).toMatch(/runs again: what it reads has changed/);
    }
  });

  it('runs a stage that is forced from its beginning, and those behind it only perhaps', () => {
    const config = configOf();
    const force = requireStages(['experts'], config);
    expect(lines(finished(config), config, { force })).toEqual([
      'teacher, targets: done',
      'experts: runs again: asked for by --force',
      'subset: runs again if experts leaves other bytes than before',
      'distil: runs again if experts or subset leaves other bytes than before',
      'evaluate: runs again if subset or distil leaves other bytes than before',
    ]);
    const broken = brokenOff(config, 'distil', 2);
    expect(lineOf('distil', lines(broken, config, { force: requireStages(['distil'], config) }))).toBe(
      'distil: runs: asked for by --force',
    );
  });

  it('does not let a manifest move the cursor, nor fill the screen', () => {
    const config = configOf();
    const states = finished(config);
    const teacher = states.get('teacher')!;
    const reads = teacher.record!.reads as unknown as { config: Record<string, Plain> };
    const slice = {
      ...reads.config,
      'a\u001b[2J\u202e': 'b\u009bc',
      long: 'x'.repeat(1000),
      optimiser: '\u0007',
    };
    const record = { ...teacher.record!, reads: plainCopy({ ...reads, config: slice }) };
    states.set('teacher', { ...teacher, record });
    const [line] = lines(states, config);
    expect(line).toMatch(/^teacher: runs again: teacher.optimiser was "\\u0007" and is adam; /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(line!.length).toBeLessThan(600);
  });
});

describe('the names of settings', () => {
  const config = configOf(ROWS);
  const valueAt = (path: string): unknown =>
    path.split('.').reduce((value: unknown, name) => (value as Record<string, unknown>)[name], config);

  it.each(stagesOf(config).map((stage) => [stage.name, stage] as const))(
    'that %s reads are those of the configuration',
    (_, stage) => {
      const { slice } = plainCopy({ slice: stage.reads(config) }) as { slice: Plain };
      const settings = settingsOf(stage, slice);
      expect(settings.size).toBeGreaterThan(3);
      for (const [path, value] of settings) expect([path, valueAt(path)]).toEqual([path, value]);
    },
  );
});

describe('--force', () => {
  it('refuses what is no stage and says what may have been meant', () => {
    expect(() => requireStages(['distill'], configOf())).toThrow(
      /"distill" names no stage\. Did you mean distil\?/,
    );
    expect(() => requireStages(['selfSupervised'], configOf())).toThrow(
      /this configuration has no such stage/,
    );
    expect(() => requireStages(['report'], configOf())).toThrow(/names no stage/);
    expect([...requireStages(['distil', 'teacher', 'distil'], configOf())]).toEqual(['distil', 'teacher']);
  });
});
