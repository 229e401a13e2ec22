import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatBytes } from '../../src/gpu/formatBytes.js';
import { type Choice, distilChoices } from '../choices.js';
import type { InsideGradient, ModeMeasure } from '../inside.js';
import { largestOf } from '../pixels.js';
import { readChoices, withChoices } from './address.js';
import { Button } from './Button.js';
import { columnsFor, ImageGrid } from './ImageGrid.js';
import { Numbers } from './Numbers.js';
import { SettingSliders } from './SettingSliders.js';
import { Slider } from './Slider.js';
import { Strip } from './Strip.js';
import type { Distillation } from './useDistillation.js';
import type { Inside } from './useInside.js';

/** What the address holds of this view beside the distillation's settings; 0 is: as it is usual. */
const viewChoices = {
  last: {
    label: 'Steps gone back through, k',
    smallest: 0,
    largest: distilChoices.steps.largest,
    usual: 0,
    step: 1,
    meaning: 'The gradient’s sum over the last k steps only.',
  },
  at: {
    label: 'Step',
    smallest: 0,
    largest: distilChoices.steps.largest,
    usual: 0,
    step: 1,
    meaning: 'The step that is looked at.',
  },
} as const satisfies Readonly<Record<string, Choice>>;

/** The sum of the last parts, number by number. */
function sumOfLast(parts: readonly Float32Array[], last: number): Float32Array {
  const total = new Float32Array(parts[0]!.length);
  for (const part of parts.slice(parts.length - last)) {
    for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
  }
  return total;
}

const modeWords: Readonly<Record<ModeMeasure['mode'], string>> = {
  full: 'keeps every step’s intermediates',
  mixed: 'keeps those of the last steps, as many as fit half of what full takes beyond recompute',
  recompute: 'keeps θ alone, and computes each step again on the way back',
};

function ModeTable({ modes }: { readonly modes: readonly ModeMeasure[] }) {
  const most = Math.max(...modes.map(({ bytes }) => bytes));
  return (
    <table class="modes">
      <caption>
        The same gradient in three ways, measured on this device; distance: of the pixels’ gradient from that
        of recompute, as a share of its length
      </caption>
      <thead>
        <tr>
          <th scope="col">Mode</th>
          <th scope="col">Memory</th>
          <th scope="col">Time</th>
          <th scope="col">Distance</th>
        </tr>
      </thead>
      <tbody>
        {modes.map(({ mode, bytes, seconds, keptSteps, distance }) => (
          <tr key={mode}>
            <th scope="row">
              <strong>{mode}</strong>
              <small>
                {modeWords[mode]}
                {mode === 'mixed' && ` (${keptSteps} here)`}
              </small>
            </th>
            <td>
              {formatBytes(bytes)}
              <span class="bar" style={{ width: `${(100 * bytes) / most}%` }} />
            </td>
            <td>{(1000 * seconds).toFixed(0)} ms</td>
            <td>{distance === 0 ? '0' : distance.toExponential(0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface LaidOutProps {
  readonly found: InsideGradient;
  readonly search: string;
  visit(search: string): void;
}

function LaidOut({ found, search, visit }: LaidOutProps) {
  const { steps, contributions, cosines, images, adjointNorms, innerLosses, rateContributions } = found;
  const chosen = readChoices(search, viewChoices);
  const last = chosen.last === 0 ? steps : Math.min(chosen.last, steps);
  // The way back begins at the last step.
  const at = (chosen.at === 0 ? steps : Math.min(chosen.at, steps)) - 1;
  // While the slider moves, the picture follows; the address does when it is let go.
  const [moved, move] = useState<number | null>(null);
  const shownLast = moved ?? last;
  const sum = useMemo(() => sumOfLast(contributions, shownLast), [contributions, shownLast]);
  const exact = useMemo(() => sumOfLast(contributions, steps), [contributions, steps]);
  const largest = largestOf(exact);
  const cosine = cosines[shownLast - 1]!;
  const choose = (values: Partial<typeof chosen>): void =>
    visit(withChoices(search, viewChoices, { ...chosen, ...values }));
  const own = contributions[at]!;
  const columns = columnsFor(images.count);
  const sumLabel = `Gradient of the trajectory loss by every pixel, through the last ${shownLast} of ${steps} steps`;
  return (
    <>
      <Strip
        found={found}
        last={shownLast}
        at={at}
        choose={(step) => choose({ at: step + 1 === steps ? 0 : step + 1 })}
      />
      <div class="inside">
        <section aria-labelledby="one-step">
          <h2 id="one-step">
            Step {at + 1} of {steps}
          </h2>
          <ImageGrid
            {...images}
            data={own}
            columns={columns}
            shading="signed"
            largest={largestOf(own)}
            label={`What step ${at + 1} adds to the gradient by every pixel; orange raises the loss, blue lowers it`}
          />
          <Numbers
            entries={[
              ['Inner loss ℓ', innerLosses[at]!.toPrecision(3)],
              ['‖λ‖ after it', adjointNorms[at + 1]!.toPrecision(3)],
              ['Adds to ∂L/∂α', rateContributions[at]!.toPrecision(3).replace('-', '−')],
            ]}
          />
          <p>
            {at + 1 === steps
              ? 'The last step meets the adjoint first: λ is still the outer loss’s own gradient.'
              : `The adjoint has come back through ${steps - at - 1} later steps before it meets this one.`}{' '}
            Orange pixels would raise the trajectory loss if they were brighter in this step’s batch; blue
            ones would lower it. The colours are scaled to this step.
          </p>
        </section>
        <section aria-labelledby="truncation">
          <h2 id="truncation">
            {shownLast === steps ? 'The whole gradient' : `The last ${shownLast} steps alone`}
          </h2>
          <ImageGrid
            {...images}
            data={sum}
            columns={columns}
            shading="signed"
            largest={largest}
            label={sumLabel}
          />
          <Numbers entries={[['Cosine to the exact gradient', cosine.toFixed(4)]]} />
          <Slider
            choice={{ ...viewChoices.last, smallest: 1, largest: steps, usual: steps }}
            value={last}
            preview={move}
            choose={(value) => {
              move(null);
              choose({ last: value === steps ? 0 : value });
            }}
          />
          <p>
            Truncation leaves the early steps out. It saves time and memory, and turns the gradient by the
            angle whose cosine stands here.
          </p>
        </section>
      </div>
    </>
  );
}

interface GradientViewProps {
  readonly distillation: Distillation;
  readonly inside: Inside;
  readonly search: string;
  visit(search: string): void;
}

export function GradientView({ distillation, inside, search, visit }: GradientViewProps) {
  const { phase, settings, progress } = distillation;
  const { found, isBusy, look } = inside;
  const failure = inside.failure ?? (phase === 'failed' ? distillation.failure : null);
  const isReady = phase === 'paused' || phase === 'done';
  // The first look needs no asking.
  useEffect(() => {
    if (isReady && found === null && !isBusy && failure === null) look();
  }, [isReady, found, isBusy, failure, look]);
  return (
    <>
      <p class="lead">
        A student takes {settings.steps} training steps on the digits. Then the loss of where it ended up is
        carried back through them, last step first, by the adjoint λ. At each step it leaves what that step’s
        pixels have to answer for.
      </p>
      <p class="equation">
        <span>
          θ<sub>n+1</sub> = θ<sub>n</sub> − α ∇<sub>θ</sub> ℓ(θ<sub>n</sub>, x)
        </span>
        <span>
          λ<sub>n</sub> = λ<sub>n+1</sub> · ∂θ<sub>n+1</sub>/∂θ<sub>n</sub>
        </span>
        <span>
          ∂L/∂x = Σ<sub>n</sub> λ<sub>n+1</sub> · ∂θ<sub>n+1</sub>/∂x
        </span>
      </p>
      <div class="controls">
        <Button isMain isOff={!isReady || isBusy} press={look}>
          Take it again
        </Button>
      </div>
      <p class="status" role="status">
        {isBusy || (!isReady && phase !== 'failed')
          ? `${progress?.what ?? 'Preparing'}…`
          : found === null
            ? ''
            : `The gradient before iteration ${found.iteration + 1}, from expert ${found.expert + 1} after ${found.startEpoch} ${found.startEpoch === 1 ? 'epoch' : 'epochs'}; loss ${found.loss.toFixed(3)}.`}
      </p>
      {failure !== null && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {found !== null && <LaidOut {...{ found, search, visit }} />}
      {found !== null && <ModeTable modes={found.modes} />}
      <section aria-labelledby="how-many">
        <h2 id="how-many">How many steps</h2>
        <p class="quiet">Another number begins a new distillation, and takes its first gradient.</p>
        <SettingSliders {...{ distillation, search, visit }} names={['steps', 'images']} />
      </section>
    </>
  );
}
