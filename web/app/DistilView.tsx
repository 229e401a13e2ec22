import { useMemo, useState } from 'preact/hooks';
import { distilChoices } from '../choices.js';
import { largestOf } from '../pixels.js';
import type { SetState } from '../protocol.js';
import type { DistilSettings } from '../settings.js';
import { Button } from './Button.js';
import { Chart, smoothed } from './Chart.js';
import { columnsFor, ImageGrid, type Shading } from './ImageGrid.js';
import { Numbers } from './Numbers.js';
import { ProbeTable } from './ProbeTable.js';
import { SettingSliders } from './SettingSliders.js';
import type { Distillation } from './useDistillation.js';

const names = Object.keys(distilChoices) as (keyof DistilSettings)[];

/** Changes, in standard deviations of the digits’ pixels, that are never drawn in full colour. */
const FAINT_CHANGE = 2;

const pictures = {
  now: 'Now',
  before: 'Before',
  change: 'Change',
} as const;
type PictureName = keyof typeof pictures;

interface PicturesProps {
  readonly set: SetState;
  readonly images: Float32Array;
  readonly iterations: number;
}

/** The set as it is, as it was, or what has changed. */
function Pictures({ set, images, iterations }: PicturesProps) {
  const [name, choose] = useState<PictureName>('now');
  const { start, now, brought } = set;
  const change = useMemo(() => images.map((value, k) => value - start.data[k]!), [images, start]);
  const shown = { now: images, before: start.data, change }[name];
  const labels: Readonly<Record<PictureName, string>> = {
    now: `${now.count} synthetic digits after ${iterations} iterations`,
    before: `The ${now.count} ${brought === null ? 'real digits' : 'images'} that distillation started from`,
    change: `How the ${now.count} digits have changed: brighter in orange, darker in blue`,
  };
  const shading: Shading = name === 'change' ? 'signed' : 'ink';
  return (
    <figure class="hero">
      <ImageGrid
        {...now}
        data={shown}
        label={labels[name]}
        columns={columnsFor(now.count)}
        shading={shading}
        largest={Math.max(FAINT_CHANGE, largestOf(change))}
      />
      <figcaption>
        <fieldset class="segments">
          <legend class="sr">Which picture</legend>
          {(Object.keys(pictures) as PictureName[]).map((each) => (
            <label key={each}>
              <input type="radio" name="picture" checked={each === name} onChange={() => choose(each)} />
              <span>{pictures[each]}</span>
            </label>
          ))}
        </fieldset>
      </figcaption>
    </figure>
  );
}

function statusOf({ phase, progress, records, settings, notice }: Distillation): string {
  if (notice !== null && phase !== 'preparing') return notice;
  switch (phase) {
    case 'opening':
      return 'Opening a device…';
    case 'preparing':
      return `${progress?.what ?? 'Loading digits'}…`;
    case 'running':
      return 'Distilling.';
    case 'probing':
      return 'Training fresh students, and probing what they have learnt…';
    case 'failed':
      return 'Nothing could be prepared.';
    case 'done':
      return `Done: ${settings.iterations} iterations.`;
    case 'paused':
      if (records.length === 0) return 'Ready.';
      return `Paused after ${records.length} ${records.length === 1 ? 'iteration' : 'iterations'}.`;
  }
}

function Controls({ distillation }: { readonly distillation: Distillation }) {
  const { phase, records, brought, start, pause, step, reset, probe, upload, leaveBrought, download } =
    distillation;
  const isRunning = phase === 'running';
  const isBusy = phase !== 'paused' && phase !== 'done';
  // Another set may do where this one could not be prepared.
  const isSetFixed = isBusy && phase !== 'failed';
  return (
    <div class="controls">
      <Button isMain isOff={!isRunning && phase !== 'paused'} press={isRunning ? pause : start}>
        {isRunning ? 'Pause' : records.length === 0 ? 'Start' : 'Go on'}
      </Button>
      <Button isOff={phase !== 'paused'} press={step}>
        One step
      </Button>
      <Button isOff={isBusy || records.length === 0} press={reset}>
        Start over
      </Button>
      <Button isOff={isBusy} press={probe}>
        Probe
      </Button>
      <details class="files">
        <summary>Files</summary>
        <Button isOff={isBusy} press={() => download('safetensors')}>
          Download safetensors
        </Button>
        <Button isOff={isBusy} press={() => download('png')}>
          Download PNG
        </Button>
        <label class="upload">
          Upload a set
          <input
            type="file"
            accept=".safetensors"
            aria-disabled={isSetFixed}
            onClick={(event) => {
              if (isSetFixed) event.preventDefault();
            }}
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (file !== undefined) upload(file);
              currentTarget.value = '';
            }}
          />
        </label>
        {brought !== null && (
          <Button isOff={isSetFixed} press={leaveBrought}>
            Back to the page’s digits
          </Button>
        )}
        <p>A run under Node writes the same file: synthetic.safetensors.</p>
      </details>
    </div>
  );
}

interface DistilViewProps {
  readonly distillation: Distillation;
  readonly search: string;
  visit(search: string): void;
}

export function DistilView({ distillation, search, visit }: DistilViewProps) {
  const { phase, set, images, records, rows, progress, speed, failure, settings } = distillation;
  const losses = useMemo(() => records.map(({ loss }) => loss), [records]);
  const numbers = useMemo(() => records.map(({ iteration }) => iteration + 1), [records]);
  const alphas = useMemo(() => records.map(({ innerStep }) => innerStep), [records]);
  const heavy = useMemo(() => smoothed(losses), [losses]);
  const last = records.at(-1);
  const end = set?.settings.iterations ?? settings.iterations;
  return (
    <>
      <p class="lead">
        A few digits are changed until a student that trains on them goes where students go that train on a
        thousand. Each pixel moves down a gradient that runs back through all {settings.steps} of the
        student’s training steps.
      </p>
      <div class="live">
        <div>
          {set !== null && images !== null ? (
            <Pictures set={set} images={images} iterations={records.length} />
          ) : (
            <div class="hero empty" aria-hidden="true" />
          )}
          <Controls distillation={distillation} />
          <p class="status" role="status">
            {statusOf(distillation)}
          </p>
          {progress !== null && (phase === 'preparing' || phase === 'probing') && (
            <progress max={progress.total} value={progress.done} aria-label={progress.what} />
          )}
          {failure !== null && (
            <p class="failure" role="alert">
              {failure}
            </p>
          )}
        </div>
        <div>
          <Numbers
            entries={[
              ['Iteration', `${records.length} of ${end}`],
              ['Loss', last === undefined ? '–' : last.loss.toFixed(3)],
              ['α', last === undefined ? settings.innerStep.toFixed(3) : last.innerStep.toFixed(3)],
              ['Speed', speed === null ? '–' : `${speed.toFixed(1)} / s`],
            ]}
          />
          <Chart
            title="Trajectory loss"
            summary={
              last === undefined
                ? 'no iteration yet'
                : `${losses[0]!.toFixed(3)} at first, ${last.loss.toFixed(3)} after ${records.length} iterations`
            }
            x={numbers}
            y={losses}
            smooth={heavy}
            height={190}
            end={end}
          />
          <Chart
            title="Inner step size α"
            summary={last === undefined ? 'no iteration yet' : `${last.innerStep.toFixed(3)} now`}
            x={numbers}
            y={alphas}
            height={120}
            end={end}
          />
          {rows !== null && <ProbeTable rows={rows} isBrought={set !== null && set.brought !== null} />}
        </div>
      </div>
      <section aria-labelledby="settings">
        <h2 id="settings">Settings</h2>
        <p class="quiet">Another value begins a new distillation. The address of this page holds them all.</p>
        <SettingSliders {...{ names, distillation, search, visit }} />
      </section>
    </>
  );
}
