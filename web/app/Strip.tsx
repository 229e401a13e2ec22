import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { InsideGradient } from '../inside.js';
import { largestOf } from '../pixels.js';
import { ImageGrid } from './ImageGrid.js';

interface StripProps {
  readonly found: InsideGradient;
  /** Steps from the end that are counted in. */
  readonly last: number;
  /** The step that is looked at. */
  readonly at: number;
  choose(step: number): void;
}

const height = (value: number, largest: number): string => `${Math.max(2, (100 * value) / largest)}%`;

/**
 * The unrolled training as columns, first step left: inner loss, adjoint, and what the step adds to the gradient. The columns are
 * one choice: arrow keys go from step to step.
 */
export function Strip({ found, last, at, choose }: StripProps) {
  const { steps, innerLosses, adjointNorms, contributions, images } = found;
  const list = useRef<HTMLDivElement>(null);
  const mostLoss = Math.max(...innerLosses);
  const mostNorm = Math.max(...adjointNorms);
  const largest = useMemo(
    () => contributions.map(largestOf).reduce((a, b) => Math.max(a, b)),
    [contributions],
  );
  // The way back begins at the last step: it is what is seen first where not all columns fit.
  useEffect(() => {
    const place = list.current!;
    place.scrollLeft = place.scrollWidth;
  }, []);
  return (
    <fieldset class="strip">
      <legend>
        From the first step to the last: the student’s loss, the adjoint’s norm, and the step’s own part of
        the gradient
      </legend>
      <div class="columns" ref={list}>
        <div class="names" aria-hidden="true">
          <span>ℓ</span>
          <span>‖λ‖</span>
          <span>own part</span>
        </div>
        {contributions.map((part, step) => {
          const norm = adjointNorms[step + 1]!;
          const isLeftOut = step < steps - last;
          return (
            <label key={step} class={isLeftOut ? 'left-out' : ''}>
              <input
                type="radio"
                name="step"
                checked={step === at}
                onChange={() => choose(step)}
                aria-label={`Step ${step + 1}: inner loss ${innerLosses[step]!.toPrecision(3)}, norm of the adjoint ${norm.toPrecision(3)}${isLeftOut ? ', left out' : ''}`}
              />
              <span
                class="column"
                title={`Step ${step + 1}\nℓ ${innerLosses[step]!.toPrecision(3)}\n‖λ‖ ${norm.toPrecision(3)}`}
              >
                <span class="measure">
                  <i class="fill" style={{ height: height(innerLosses[step]!, mostLoss) }} />
                  {innerLosses[step]!.toPrecision(2)}
                </span>
                <span class="measure">
                  <i class="fill back" style={{ height: height(norm, mostNorm) }} />
                  {norm.toPrecision(2)}
                </span>
                <ImageGrid
                  {...images}
                  data={part}
                  columns={2}
                  shading="signed"
                  largest={largest}
                  label={null}
                />
                <span class="number">{step + 1}</span>
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  );
}
