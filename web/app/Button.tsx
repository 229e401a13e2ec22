import type { ComponentChildren } from 'preact';

interface ButtonProps {
  /** Whether it is what a visitor most likely wants. */
  readonly isMain?: boolean;
  /** Whether there is nothing for it to do now. */
  readonly isOff?: boolean;
  press(): void;
  readonly children: ComponentChildren;
}

/** A button that keeps the focus while there is nothing for it to do: with `disabled` it would drop who uses the keyboard. */
export function Button({ isMain = false, isOff = false, press, children }: ButtonProps) {
  return (
    <button
      type="button"
      class={isMain ? 'main' : undefined}
      aria-disabled={isOff}
      onClick={() => {
        if (!isOff) press();
      }}
    >
      {children}
    </button>
  );
}
