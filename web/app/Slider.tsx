import { useId, useState } from 'preact/hooks';
import { type Choice, clamp } from '../choices.js';

interface SliderProps {
  readonly choice: Choice;
  readonly value: number;
  readonly disabled?: boolean;
  /** Called while the visitor moves it. */
  preview?(value: number): void;
  /** Called when the visitor lets go. */
  choose(value: number): void;
}

/** Positions of a slider whose values are multiples of one another. */
const NOTCHES = 60;

/** A choice as a slider, with its value and meaning. */
export function Slider({ choice, value, disabled = false, preview, choose }: SliderProps) {
  const id = useId();
  const { label, smallest, largest, step, meaning } = choice;
  const isGeometric = step === 0;
  const toPosition = (number: number): number =>
    isGeometric ? (NOTCHES * Math.log(number / smallest)) / Math.log(largest / smallest) : number;
  const toValue = (position: number): number =>
    clamp(choice, isGeometric ? smallest * (largest / smallest) ** (position / NOTCHES) : position);
  // Between two keys there may be no time to draw: what the visitor has moved to is shown until it is chosen.
  const [moved, move] = useState<number | null>(null);
  const shown = moved ?? value;
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <span class="value" aria-hidden="true">
        {shown.toLocaleString('en')}
      </span>
      <input
        id={id}
        type="range"
        min={isGeometric ? 0 : smallest}
        max={isGeometric ? NOTCHES : largest}
        step={isGeometric ? 1 : step}
        value={toPosition(shown)}
        disabled={disabled}
        aria-valuetext={shown.toLocaleString('en')}
        aria-describedby={`${id}-meaning`}
        onInput={({ currentTarget }) => {
          const next = toValue(Number(currentTarget.value));
          move(next);
          preview?.(next);
        }}
        onChange={({ currentTarget }) => {
          move(null);
          choose(toValue(Number(currentTarget.value)));
        }}
      />
      <p id={`${id}-meaning`}>{meaning}</p>
    </div>
  );
}
