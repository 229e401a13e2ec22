import { MKDT_ROW, rowFacts } from '../../src/pipeline/evaluate/rowNames.js';
import type { ResultRow } from '../../src/pipeline/report/types.js';

const namesOf = (isBrought: boolean): Readonly<Record<string, string>> => ({
  [rowFacts.randomEncoder.name]: 'nothing',
  [rowFacts.randomSubset.name]: 'as many random digits',
  [rowFacts.highLossSubset.name]: isBrought ? 'as many of the hardest digits' : 'the digits it started from',
  [MKDT_ROW]: isBrought ? 'the distilled images' : 'the distilled digits',
});

const percent = (share: number): string => (100 * share).toFixed(1);

interface ProbeTableProps {
  readonly rows: readonly ResultRow[];
  /** Whether a brought set was distilled: the hardest digits are then not what it started from. */
  readonly isBrought: boolean;
}

/** What encoders are worth that were trained on several sets. */
export function ProbeTable({ rows, isBrought }: ProbeTableProps) {
  const names = namesOf(isBrought);
  const labels = rows[0]?.labels ?? 0;
  const seeds = rows[0]?.seeds ?? 0;
  return (
    <table class="probe">
      <caption>
        Accuracy of a linear probe on unseen digits, in %, with {percent(labels)} % of the labels; mean ±
        standard deviation of {seeds} {seeds === 1 ? 'seed' : 'seeds'}
      </caption>
      <thead>
        <tr>
          <th scope="col">A student trained on</th>
          <th scope="col">Accuracy</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, mean, deviation }) => (
          <tr key={name} class={name === MKDT_ROW ? 'own' : ''}>
            <th scope="row">{names[name] ?? name}</th>
            <td>
              {percent(mean)} ± {percent(deviation)}
              <span class="bar" style={{ width: `${percent(mean)}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
