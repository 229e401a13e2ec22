/** Learning rates as functions of the step: nothing is remembered, so a training may be looked into anywhere. */

/** How a learning rate changes over a training. */
export interface Schedule {
  /** `constant` keeps it; `cosine` lowers it to 0 along half a cosine (Loshchilov & Hutter 2017). */
  readonly schedule: 'constant' | 'cosine';
  /** Steps over which it first rises in equal parts. */
  readonly warmUp: number;
  /** Steps of the whole training. */
  readonly steps: number;
}

/**
 * The learning rate of a step, counted from 0, whose largest is `peak`. During the warm-up it is peak · (step + 1) / warmUp;
 * after it peak, or peak · (1 + cos(π · t)) / 2 with t from 0 at the warm-up's end to 1 after the last step.
 */
export function learningRateAt(step: number, peak: number, { schedule, warmUp, steps }: Schedule): number {
  if (step < warmUp) return (peak * (step + 1)) / warmUp;
  if (schedule === 'constant') return peak;
  return (peak * (1 + Math.cos((Math.PI * (step - warmUp)) / (steps - warmUp)))) / 2;
}
