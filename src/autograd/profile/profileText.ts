/** A profile as text: what was measured and how, then a table of kernels, the costliest first. */
import { textTable } from '../textTable.js';
import type { KernelProfile, Profile } from './profile.js';

/** Rows of the table unless more are asked for. */
const ROWS = 20;
/** Timestamps in steps longer than this are too coarse for a kernel, in nanoseconds. */
const COARSE = 10_000;

const milliseconds = (time: number): string => `${time < 9.9995 ? time.toFixed(3) : time.toFixed(1)} ms`;
const giga = (rate: number): string => (rate === 0 ? '–' : (rate / 1e9).toFixed(rate < 9.995e9 ? 2 : 1));
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function methodText({ method, timestampStep }: Profile): string {
  if (method === 'waiting') {
    return (
      'Times: each dispatch was submitted alone and waited for, so they hold the way to the device and back; ' +
      "this is done where a device's timestamps are missing."
    );
  }
  const step = timestampStep ?? 0;
  const remark = step > COARSE ? ', too coarse for short kernels; sums over many dispatches still tell' : '';
  return `Times: by the device's timestamps, in steps of ${step} ns${remark}.`;
}

function headLines(profile: Profile): string[] {
  const { device, duration, deviceTime, measured, unmeasured, host, peaks } = profile;
  const rest = unmeasured === 0 ? '' : `; ${unmeasured} more ran unmeasured`;
  return [
    `${milliseconds(duration)} on ${device.name}: ${milliseconds(deviceTime)} in ${measured} dispatches${rest}.`,
    `Host: compiling ${milliseconds(host.compile)}, encoding ${milliseconds(host.encode)}, submitting ${milliseconds(host.submit)}, ` +
      `writing ${milliseconds(host.write)}, waiting ${milliseconds(host.wait)}.`,
    methodText(profile),
    `Peaks, measured: ${giga(peaks.arithmeticRate)} GFLOP/s in registers, ${giga(peaks.memoryRate)} GB/s in a copy.`,
  ];
}

const rowCells = (row: KernelProfile): string[] => [
  row.kernel,
  String(row.count),
  milliseconds(row.time),
  percent(row.share),
  giga(row.arithmeticRate),
  giga(row.memoryRate),
  `${percent(row.peakShare)} ${row.limit}`,
  [`${row.operation} ${row.shape}`, ...row.fused].join(' ← '),
];

/**
 * The profile as text.
 * @param rows most rows of the table; the last line sums up the rest
 */
export function profileText(profile: Profile, rows = ROWS): string {
  const { kernels } = profile;
  const hidden = kernels.slice(rows);
  const table = textTable(
    [
      ['kernel', 'runs', 'time', 'share', 'GFLOP/s', 'GB/s', 'of peak', 'operation ← fused into it'],
      ...kernels.slice(0, rows).map(rowCells),
    ],
    ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
  );
  const share = hidden.reduce((sum, row) => sum + row.share, 0);
  const last =
    hidden.length === 0
      ? []
      : [`and ${hidden.length} more ${hidden.length === 1 ? 'row' : 'rows'}, ${percent(share)} together`];
  return `${[...headLines(profile), '', table, ...last].join('\n')}\n`;
}
