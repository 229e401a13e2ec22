/** What a visitor sees whose browser has no WebGPU: why, how to switch it on, and a run that was recorded. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import recordingUrl from '../recorded/run.json?url';
import pictureUrl from '../recorded/run.png?url';
import type { Recording } from '../recording.js';
import { Button } from './Button.js';
import { Chart, smoothed } from './Chart.js';
import { columnsFor, ImageGrid } from './ImageGrid.js';
import { CALM, isCalm } from './motion.js';
import { Numbers } from './Numbers.js';
import { ProbeTable } from './ProbeTable.js';

/** Milliseconds that a frame stands; fewer are shown to those who want less motion, in the same time. */
const FRAME_TIME = 250;
const CALM_FRAMES = CALM / FRAME_TIME;

interface Remedy {
  readonly browser: string;
  /** Whether it is this browser. */
  isHere(agent: string): boolean;
  readonly text: string;
}

const remedies: readonly Remedy[] = [
  {
    browser: 'Chrome, Edge and others of their kind',
    isHere: (agent) => /Chrom(e|ium)\//.test(agent),
    text: 'WebGPU is on by default from version 113 on Windows, macOS and ChromeOS. On Linux, or where the graphics card is refused, open chrome://flags/#enable-unsafe-webgpu, choose Enabled and restart; chrome://gpu says what stands in the way.',
  },
  {
    browser: 'Firefox',
    isHere: (agent) => /Firefox\//.test(agent),
    text: 'WebGPU is on by default from version 141 on Windows and 145 on macOS. Elsewhere open about:config, set dom.webgpu.enabled to true and restart.',
  },
  {
    browser: 'Safari',
    isHere: (agent) => /Safari\//.test(agent) && !/Chrom(e|ium)\//.test(agent),
    text: 'WebGPU is on by default from version 26. Before, switch it on under Settings › Advanced › Feature Flags.',
  },
];

interface Recorded extends Recording {
  /** Brightness of every frame's images, 0 to 255, frame after frame. */
  readonly pixels: Float32Array;
}

async function readPixels(url: string): Promise<Float32Array> {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  const canvas = document.createElement('canvas');
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return Float32Array.from({ length: data.length / 4 }, (_, pixel) => data[pixel * 4]!);
}

async function readRecording(): Promise<Recorded> {
  const [recording, pixels] = await Promise.all([
    fetch(recordingUrl).then((response) => response.json() as Promise<Recording>),
    readPixels(pictureUrl),
  ]);
  return { ...recording, pixels };
}

function Player({ recorded }: { readonly recorded: Recorded }) {
  const { count, image, frames, every, records, device, rows, seconds, pixels } = recorded;
  // The result first; playing begins at the start.
  const [frame, setFrame] = useState(frames - 1);
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    const ahead = isCalm() ? CALM_FRAMES : 1;
    const advance = (): void => setFrame((before) => Math.min(before + ahead, frames - 1));
    const timer = setInterval(advance, ahead * FRAME_TIME);
    return () => clearInterval(timer);
  }, [isPlaying, frames]);
  useEffect(() => {
    if (frame === frames - 1) setPlaying(false);
  }, [frame, frames]);
  const size = pixels.length / frames;
  const data = useMemo(() => pixels.subarray(frame * size, (frame + 1) * size), [pixels, frame, size]);
  const done = Math.min(frame * every, records.length);
  const seen = useMemo(() => records.slice(0, done), [records, done]);
  const losses = useMemo(() => seen.map(({ loss }) => loss), [seen]);
  const numbers = useMemo(() => seen.map(({ iteration }) => iteration + 1), [seen]);
  const heavy = useMemo(() => smoothed(losses), [losses]);
  const last = seen.at(-1);
  return (
    <div class="live">
      <figure class="hero">
        <ImageGrid
          data={data}
          count={count}
          image={image}
          mean={[0]}
          deviation={[1 / 255]}
          columns={columnsFor(count)}
          label={`${count} synthetic digits after ${done} recorded iterations`}
        />
        <figcaption>
          <div class="player">
            <Button
              isMain
              press={() => {
                if (frame === frames - 1) setFrame(0);
                setPlaying(!isPlaying);
              }}
            >
              {isPlaying ? 'Pause' : 'Play'}
            </Button>
            <input
              type="range"
              aria-label="Iteration"
              aria-valuetext={`${done} iterations`}
              min={0}
              max={frames - 1}
              value={frame}
              onInput={({ currentTarget }) => setFrame(Number(currentTarget.value))}
            />
          </div>
        </figcaption>
      </figure>
      <div>
        <Numbers
          entries={[
            ['Iteration', `${done} of ${records.length}`],
            ['Loss', last === undefined ? '–' : last.loss.toFixed(3)],
            ['α', (last ?? records[0])!.innerStep.toFixed(3)],
          ]}
        />
        <Chart
          title="Trajectory loss"
          summary={`${records[0]!.loss.toFixed(3)} at first, ${records.at(-1)!.loss.toFixed(3)} at the end`}
          x={numbers}
          y={losses}
          smooth={heavy}
          height={190}
          end={records.length}
        />
        <ProbeTable rows={rows} isBrought={false} />
        <p class="quiet">
          Recorded on {device}, {Math.round(seconds)} s for {records.length} iterations.
        </p>
      </div>
    </div>
  );
}

export interface NoGpuProps {
  /** Why no device opened, in words. */
  readonly reason: string;
  /** Whether the browser has a WebGPU adapter all the same. */
  readonly isOffered: boolean;
}

/** Why there is no WebGPU, and how to switch it on. */
function Missing({ reason }: Pick<NoGpuProps, 'reason'>) {
  const here = remedies.filter(({ isHere }) => isHere(navigator.userAgent));
  const elsewhere = remedies.filter((remedy) => !here.includes(remedy));
  return (
    <>
      <p>
        <strong>This browser offers no WebGPU, so nothing can be computed here.</strong> Below is a run that
        was recorded.
      </p>
      {here.map(({ browser, text }) => (
        <p key={browser}>{text}</p>
      ))}
      <details>
        <summary>Other browsers, and what this one says</summary>
        {elsewhere.map(({ browser, text }) => (
          <p key={browser}>
            <strong>{browser}.</strong> {text}
          </p>
        ))}
        <p>{reason}</p>
      </details>
    </>
  );
}

export function NoGpu({ reason, isOffered }: NoGpuProps) {
  const [recorded, setRecorded] = useState<Recorded | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    readRecording().then(setRecorded, (error: Error) => setFailure(error.message));
  }, []);
  return (
    <>
      <div class="notice" role="status">
        {isOffered ? (
          <>
            <p>
              <strong>No device could be opened here:</strong> {reason}
            </p>
            <p>Below is a run that was recorded.</p>
          </>
        ) : (
          <Missing reason={reason} />
        )}
      </div>
      {recorded !== null && <Player recorded={recorded} />}
      {failure !== null && (
        <p class="failure" role="alert">
          The recorded run cannot be read: {failure}
        </p>
      )}
    </>
  );
}
