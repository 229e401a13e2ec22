/** An estimate in plain text: a line for each piece of work, and one for each stage. */
import { type Align, textTable } from '../../autograd/textTable.js';
import { formatBytes } from '../../gpu/formatBytes.js';
import { longDuration } from '../report/wording.js';
import type { Estimate, TimeEstimate } from './estimate.js';
import { LOWER_HOST_MEMORY, mostHostBytes } from './hostMemory.js';

const UNKNOWN = '?';

const bytesText = (bytes: number | null): string => (bytes === null ? UNKNOWN : formatBytes(bytes));
const countText = (count: number): string => String(Math.ceil(count));

function sourceText({ source }: TimeEstimate): string {
  if (source === null) return 'does not fit this device';
  return source.kind === 'measured' ? 'measured' : `predicted from ${source.images} images`;
}

function timeTable({ times, seconds }: Estimate): string {
  const aligns: Align[] = ['left', 'left', 'right', 'right', 'right', 'right', 'left'];
  return textTable(
    [
      ['stage', 'work', 'images', 'runs', 'each', 'together', 'how'],
      ...times.map((time) => [
        time.stage,
        time.what,
        String(time.images),
        countText(time.runs),
        time.seconds === null ? UNKNOWN : longDuration(time.seconds),
        time.seconds === null ? UNKNOWN : longDuration(time.runs * time.seconds),
        sourceText(time),
      ]),
      ['all', '', '', '', '', longDuration(seconds), ''],
    ],
    aligns,
  );
}

function spaceTable({ space, host, deviceBytes, diskBytes }: Estimate): string {
  const hostBytes = new Map(host.map(({ stage, bytes }) => [stage as string, bytes]));
  return textTable(
    [
      ['stage', 'device memory', 'host memory', 'disk'],
      ...space.map(({ stage, deviceBytes, diskBytes }) => [
        stage,
        bytesText(deviceBytes),
        hostBytes.has(stage) ? `≥ ${formatBytes(hostBytes.get(stage)!)}` : UNKNOWN,
        bytesText(diskBytes),
      ]),
      ['all', bytesText(deviceBytes), `≥ ${formatBytes(mostHostBytes(host))}`, bytesText(diskBytes)],
    ],
    ['left', 'right', 'right', 'right'],
  );
}

/** What does not fit, a sentence each. */
function warnings({ space, host, machine }: Estimate): string[] {
  const refused = space.flatMap(({ stage, refusal }) =>
    refusal === null
      ? []
      : [
          `${stage} does not fit this device: ${refusal.reason} ${
            refusal.remedy === null ? '' : `It fits with --set ${refusal.remedy}.`
          }`.trim(),
        ],
  );
  const most = host.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  const { totalBytes } = machine;
  if (most.bytes > totalBytes) {
    refused.push(
      `${most.stage} holds more than the ${formatBytes(totalBytes)} of this machine's memory. ${LOWER_HOST_MEMORY}`,
    );
  }
  return refused;
}

/** The whole estimate, as `hypergrad run --dry-run` prints it. */
export function describeEstimate(estimate: Estimate): string {
  const problems = warnings(estimate);
  const { totalBytes, freeBytes } = estimate.machine;
  return [
    timeTable(estimate),
    'Probes and, on a software device, everything else share the processor; files and random numbers come on top.',
    '',
    spaceTable(estimate),
    `Device memory and disk are counted from the stages themselves, without events and report; host memory is what arrays hold at least. This machine has ${formatBytes(totalBytes)}, ${formatBytes(freeBytes)} of it free.`,
    ...(problems.length === 0 ? [] : ['', ...problems]),
  ].join('\n');
}
