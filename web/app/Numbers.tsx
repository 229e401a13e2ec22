interface NumbersProps {
  readonly entries: readonly (readonly [name: string, value: string])[];
}

/** Figures with their names, side by side. */
export function Numbers({ entries }: NumbersProps) {
  return (
    <dl class="numbers">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
