import { useEffect } from 'preact/hooks';
import type { DeviceReport } from '../device.js';
import { Button } from './Button.js';
import { Numbers } from './Numbers.js';
import type { Examination } from './useDevice.js';
import type { Distillation } from './useDistillation.js';

const giga = (rate: number): string => {
  const value = rate / 1e9;
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
};

function Report({ report }: { readonly report: DeviceReport }) {
  const { name, kind, limits, features, sampleRate, arithmeticRate, memoryRate, method, kernels } = report;
  return (
    <>
      <Numbers
        entries={[
          ['Arithmetic at most', `${giga(arithmeticRate)} GFLOP/s`],
          ['Memory at most', `${giga(memoryRate)} GB/s`],
          ['A sample', `${giga(sampleRate)} GFLOP/s`],
        ]}
      />
      <p class="quiet">
        The sample came out as the processor computes it.{' '}
        {kind === 'software'
          ? 'This is a software device: WebGPU runs on the processor here. A graphics card is many times faster; the browser’s own page on graphics (chrome://gpu, about:support) says why it uses none.'
          : 'This is a hardware device.'}
      </p>

      <table class="facts">
        <caption>What it offers</caption>
        <tbody>
          <tr>
            <th scope="row">Name</th>
            <td>{name}</td>
          </tr>
          {limits.map(([limit, value]) => (
            <tr key={limit}>
              <th scope="row">{limit}</th>
              <td>{value}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">Beside the basics</th>
            <td>{features.join(', ') || 'nothing'}</td>
          </tr>
        </tbody>
      </table>

      <table class="kernels">
        <caption>Kernels of one hypergradient, the costliest first; each dispatch timed by {method}</caption>
        <thead>
          <tr>
            <th scope="col">Kernel</th>
            <th scope="col">Times</th>
            <th scope="col">ms</th>
            <th scope="col">GFLOP/s</th>
            <th scope="col">GB/s</th>
          </tr>
        </thead>
        <tbody>
          {kernels.map(({ kernel, operation, shape, count, time, arithmeticRate, memoryRate }, place) => (
            <tr key={`${place} ${kernel}`}>
              <th scope="row">
                {kernel}
                <small>
                  {operation} {shape}
                </small>
              </th>
              <td>{count}</td>
              <td>{time.toFixed(1)}</td>
              <td>{arithmeticRate === 0 ? '–' : giga(arithmeticRate)}</td>
              <td>{giga(memoryRate)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

interface DeviceViewProps {
  readonly distillation: Distillation;
  readonly examination: Examination;
}

export function DeviceView({ distillation, examination }: DeviceViewProps) {
  const { phase, progress } = distillation;
  const { report, isBusy, measure } = examination;
  const failure = examination.failure ?? (phase === 'failed' ? distillation.failure : null);
  const isReady = phase === 'paused' || phase === 'done';
  useEffect(() => {
    if (isReady && report === null && !isBusy && failure === null) measure();
  }, [isReady, report, isBusy, failure, measure]);
  return (
    <>
      <p class="lead">
        What WebGPU offers in this browser, and what the engine’s kernels reach on it. Everything is measured
        here and now.
      </p>
      <div class="controls">
        <Button isMain isOff={!isReady || isBusy} press={measure}>
          Measure again
        </Button>
      </div>
      <p class="status" role="status">
        {isBusy ? 'Measuring…' : isReady || phase === 'failed' ? '' : `${progress?.what ?? 'Preparing'}…`}
      </p>
      {failure !== null && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {report !== null && <Report report={report} />}
    </>
  );
}
