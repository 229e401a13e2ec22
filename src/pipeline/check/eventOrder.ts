/** Whether events.jsonl tells each step of each stage once, in order. */
import type { Config } from '../config/schema.js';
import { EVENT_EVERY } from '../stages/teacher.js';
import { EVENTS, eventOf, type RunEvent } from '../store/events.js';
import { type Finding, flaw, note, RUN_AGAIN } from './finding.js';
import type { CheckedStage } from './stageStates.js';

const upTo = <Value>(count: number, value: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, k) => value(k));

const epochsOf = ({ count, epochs }: { readonly count: number; readonly epochs: number }): string[] =>
  upTo(count * epochs, (k) => `expert ${Math.floor(k / epochs)}, epoch ${(k % epochs) + 1}`);

/** What a stage tells of, in order, when it has run to its end. Stages that are not here tell nothing, or nothing that is counted. */
const toldBy: Readonly<Record<string, (config: Config) => string[]>> = {
  teacher: ({ teacher: { steps } }) =>
    upTo(Math.ceil(steps / EVENT_EVERY), (k) => `step ${Math.min(steps, (k + 1) * EVENT_EVERY)}`),
  experts: ({ experts }) => epochsOf(experts),
  distil: ({ distil }) => upTo(distil.iterations, (k) => `iteration ${k}`),
  selfSupervisedExperts: ({ selfSupervised }) => epochsOf(selfSupervised.experts),
  selfSupervised: ({ selfSupervised }) => upTo(selfSupervised.iterations, (k) => `iteration ${k}`),
};

/** What an event tells of, in the words of `toldBy`. */
function keyOf({ step, expert, epoch, iteration }: RunEvent): string {
  if (expert !== undefined && epoch !== undefined) return `expert ${expert}, epoch ${epoch}`;
  return step !== undefined ? `step ${step}` : `iteration ${iteration}`;
}

/** Gaps, doubles and disorder among the events of each stage; of one that is not done the end may be missing. */
export function checkEventOrder(
  events: readonly RunEvent[],
  stages: readonly CheckedStage[],
  config: Config,
): Finding[] {
  return stages.flatMap(({ stage, state }) => {
    const wanted = toldBy[stage]?.(config);
    if (wanted === undefined || state === 'other') return [];
    const told = events.filter((event) => event.stage === stage).map(keyOf);
    const at = told.findIndex((key, index) => key !== wanted[index]);
    const words = {
      means: 'Curves of the report are wrong there. No artefact depends on it.',
      mends: `${RUN_AGAIN.slice(0, -1)} with --force ${stage} to have them whole; the artefacts keep their bits.`,
    };
    if (at >= 0) {
      const [key, expected] = [told[at]!, wanted[at]];
      const fault =
        told.indexOf(key) < at ? 'stands twice' : `stands where ${expected ?? 'nothing more'} is expected`;
      return [flaw(EVENTS, { what: `Of the stage ${stage}, ${key} ${fault}.`, ...words })];
    }
    if (state !== 'done' || told.length === wanted.length) return [];
    return [
      flaw(EVENTS, {
        what: `The stage ${stage} is done, and ${wanted[told.length]} and what follows it are missing.`,
        ...words,
      }),
    ];
  });
}

/** The events of a file's text, and what is wrong with its lines. */
export function checkEventLines(text: string): { readonly events: RunEvent[]; readonly findings: Finding[] } {
  const lines = text.split('\n');
  const rest = lines.pop();
  const findings: Finding[] = [];
  const events: RunEvent[] = [];
  lines.forEach((line, index) => {
    const event = eventOf(line);
    if (event !== null) events.push(event);
    else {
      findings.push(
        flaw(EVENTS, {
          what: `Line ${index + 1} is no event.`,
          means: 'The file is damaged. A run on the folder stops there.',
          mends: `Delete the line. ${RUN_AGAIN}`,
        }),
      );
    }
  });
  if (rest !== '') {
    findings.push(
      note(EVENTS, {
        what: 'Its last line was cut off.',
        means: 'The run was killed while it wrote; nothing else is lost.',
        mends: `Nothing needs to be done: the next run writes over it.`,
      }),
    );
  }
  return { events, findings };
}
