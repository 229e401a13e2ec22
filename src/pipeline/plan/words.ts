/** A run's plan in words: a line a stage, or for several that are alike. */
import type { Plain } from '../store/manifest.js';
import { shown } from '../store/shownText.js';
import type { Reason, RunPlan, StagePlan } from './plan.js';

/** Reasons that are said of one stage; the rest is counted. */
const MOST_REASONS = 4;

/** What would move the cursor or turn the writing round: a manifest may be a stranger's. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);

const nameOf = (text: string): string => shown(printable(text));

const valueText = (value: Plain): string =>
  nameOf(typeof value === 'string' && /^[\w./-]+$/.test(value) ? value : JSON.stringify(value));

/** "experts", "distil or selfSupervised", "a, b or c". */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;

function reasonText(reason: Reason): string {
  switch (reason.what) {
    case 'forced':
      return 'asked for by --force';
    case 'setting': {
      const { setting, before, now } = reason;
      if (before === undefined) return `${nameOf(setting)} is new and is ${valueText(now!)}`;
      if (now === undefined) return `${nameOf(setting)} was ${valueText(before)} and is gone`;
      return `${nameOf(setting)} was ${valueText(before)} and is ${valueText(now)}`;
    }
    case 'seed':
      return `seed was ${reason.before} and is ${reason.now}`;
    case 'data':
      return 'its images or labels are others';
    case 'tuning':
      return 'the block sizes of the device are others';
    case 'given':
      return 'the representations of targets.from are others';
    case 'version':
      return 'this version of hypergrad computes it otherwise';
    case 'unknown':
      return 'what it reads has changed since the folder was written, by a version that did not keep what it was';
    case 'artefacts':
      return `what ${nameOf(reason.stage)} left is not what it was made from`;
    case 'file':
      return reason.state === 'missing'
        ? `${nameOf(reason.file)} is missing`
        : `${nameOf(reason.file)} has changed since it was written`;
    case 'behind':
      return `${reason.stage} leaves other bytes than it did`;
  }
}

function reasonsText(reasons: readonly Reason[]): string {
  const said = reasons.slice(0, MOST_REASONS).map(reasonText);
  const rest = reasons.length - said.length;
  return [...said, ...(rest > 0 ? [`${rest} more`] : [])].join('; ');
}

function lineOf({ action, again, reasons, resumes, parts }: StagePlan): string {
  if (action === 'done') return 'done';
  if (action === 'perhaps') {
    const before = reasons.flatMap((reason) => (reason.what === 'behind' ? [reason.stage] : []));
    return `runs again if ${listed(before)} leaves other bytes than before`;
  }
  const partText =
    parts && `${parts.done} of ${parts.total} are there, ${parts.total - parts.done} are missing`;
  const from = resumes && `goes on after ${resumes.done} of ${resumes.total} ${resumes.unit} (checkpoint)`;
  const how = [partText, from].flatMap((text) => text ?? []).join('; ');
  if (again) return `runs again: ${reasonsText(reasons)}${how === '' ? '' : `; ${how}`}`;
  return how === '' ? (reasons.length > 0 ? `runs: ${reasonsText(reasons)}` : 'runs') : how;
}

/** The plan's lines, stages in order. */
export function describePlan(plan: RunPlan): string[] {
  if (plan.every(({ action }) => action === 'done')) {
    return ['Every stage is done and unchanged; the report is written anew.'];
  }
  const lines: { names: string[]; text: string }[] = [];
  for (const each of plan) {
    const text = lineOf(each);
    const last = lines.at(-1);
    if (last?.text === text) last.names.push(each.stage);
    else lines.push({ names: [each.stage], text });
  }
  return lines.map(({ names, text }) => {
    const isOne = names.length === 1;
    return `${names.join(', ')}: ${isOne ? text : text.replace(/^runs/, 'run')}`;
  });
}
