/** The distillation that the worker holds, as the page shows it. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ResultRow } from '../../src/pipeline/report/types.js';
import { distilChoices } from '../choices.js';
import type { IterationRecord, SetState } from '../protocol.js';
import type { DistilSettings } from '../settings.js';
import { readChoices, readSet, withSet } from './address.js';
import type { Engine } from './engine.js';
import { CALM, isCalm } from './motion.js';

/** `failed`: nothing is there to work with. */
export type Phase = 'opening' | 'preparing' | 'failed' | 'paused' | 'running' | 'probing' | 'done';

export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

export interface Distillation {
  readonly phase: Phase;
  readonly settings: DistilSettings;
  readonly set: SetState | null;
  /** Name of the brought set that is asked for; null for the page's digits. */
  readonly brought: string | null;
  /** The set's images as they are now; apart from `set`, because they change with every iteration. */
  readonly images: Float32Array | null;
  readonly records: readonly IterationRecord[];
  readonly rows: readonly ResultRow[] | null;
  readonly progress: Progress | null;
  /** Iterations a second, over the last ones; null before there are two. */
  readonly speed: number | null;
  /** What went wrong, in words. */
  readonly failure: string | null;
  /** What else is worth telling. */
  readonly notice: string | null;
  start(): void;
  pause(): void;
  step(): void;
  reset(): void;
  probe(): void;
  upload(file: File): void;
  /** Back to the page's own digits. */
  leaveBrought(): void;
  download(kind: 'safetensors' | 'png'): void;
}

/** How far a distillation is. */
interface Reached {
  readonly images: Float32Array | null;
  readonly records: readonly IterationRecord[];
}

const REOPENED = 'The device was lost and has been opened again; the work goes on from where it was kept.';
const REPLACED =
  'The device was lost, and another one has taken its place. It computes other bits, so the distillation goes on from what was kept on this one, or begins anew.';
const GONE =
  'The set of this address is not kept in this browser: these are the page’s own digits. Upload the set again.';

/** Iterations that the speed is the mean of. */
const SPEED_OVER = 10;

function saveAs(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}

/** A PNG file of grey or coloured pixels. */
async function pngOf(pixels: Uint8Array, width: number, height: number, channels: 1 | 3): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d')!;
  const picture = context.createImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let c = 0; c < 3; c++)
      picture.data[pixel * 4 + c] = pixels[pixel * channels + (channels === 1 ? 0 : c)]!;
    picture.data[pixel * 4 + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
  return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob!), 'image/png'));
}

export function useDistillation(
  engine: Engine | null,
  search: string,
  visit: (search: string) => void,
): Distillation {
  const brought = readSet(search);
  const chosen = JSON.stringify(readChoices(search, distilChoices));
  const settings = useMemo(() => JSON.parse(chosen) as DistilSettings, [chosen]);
  const [phase, setPhase] = useState<Phase>('opening');
  const [set, setSet] = useState<SetState | null>(null);
  const [images, setImages] = useState<Float32Array | null>(null);
  const [records, setRecords] = useState<readonly IterationRecord[]>([]);
  const [rows, setRows] = useState<readonly ResultRow[] | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [speed, setSpeed] = useState<number | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [notice, setNotice] = useState<string | null>(null);
  const times = useRef<number[]>([]);
  const shownAt = useRef(0);
  /** How far the distillation is, shown or not. */
  const latest = useRef<Reached>({ images: null, records: [] });
  /** The distillation that is there; null where there is none. */
  const there = useRef<SetState | null>(null);
  /** What is to be told once the next distillation is there. */
  const next = useRef<string | null>(null);
  /** How many distillations were begun: what an earlier one still answers is not shown. */
  const begun = useRef(0);

  const showReached = useCallback((): void => {
    shownAt.current = performance.now();
    setImages(latest.current.images);
    setRecords(latest.current.records);
    const [first, ...others] = times.current;
    if (others.length > 0) setSpeed((others.length * 1000) / (others.at(-1)! - first!));
  }, []);
  /** Shows how far it is, unless the visitor wants less motion and the last picture has only just come. */
  const showSoon = useCallback((): void => {
    if (!isCalm() || performance.now() - shownAt.current >= CALM) showReached();
  }, [showReached]);
  /** Puts a distillation in the place of the one that was there; null for none. */
  const place = useCallback((state: SetState | null): void => {
    there.current = state;
    latest.current = { images: state?.now.data ?? null, records: state?.records ?? [] };
    times.current = [];
    setSet(state);
    setRows(null);
    setSpeed(null);
  }, []);
  /** Stands still. */
  const rest = useCallback((): void => {
    const { current } = there;
    setProgress(null);
    if (current === null) setPhase('failed');
    else setPhase(latest.current.records.length >= current.settings.iterations ? 'done' : 'paused');
  }, []);
  const show = useCallback(
    (state: SetState): void => {
      place(state);
      showReached();
      rest();
    },
    [place, showReached, rest],
  );
  const fail = useCallback(
    (error: Error): void => {
      setFailure(error.message);
      rest();
    },
    [rest],
  );

  useEffect(() => {
    if (engine === null) return;
    return engine.listen((happening) => {
      if (happening.kind === 'progress') {
        setProgress(happening);
        return;
      }
      if (happening.kind === 'reopened') {
        setNotice(happening.isAnother ? REPLACED : REOPENED);
        return;
      }
      if (happening.kind === 'restored') {
        place(happening.state);
        showSoon();
        return;
      }
      const { images, record } = happening;
      latest.current = { images, records: [...latest.current.records, record] };
      times.current = [...times.current.slice(-SPEED_OVER), performance.now()];
      showSoon();
    });
  }, [engine, place, showSoon]);

  useEffect(() => {
    if (engine === null) return;
    const own = ++begun.current;
    setPhase('preparing');
    setProgress(null);
    setFailure(null);
    setNotice(next.current);
    next.current = null;
    engine.call('begin', settings, brought).then(
      (state) => {
        if (own !== begun.current) return;
        show(state);
        if (state.brought !== brought) setNotice(GONE);
      },
      (error: Error) => {
        if (own !== begun.current) return;
        // What an earlier address asked for is not what stands in this one.
        place(null);
        showReached();
        fail(error);
      },
    );
  }, [engine, settings, brought, place, showReached, show, fail]);

  const work = useCallback(
    (during: Phase, task: (engine: Engine, isWanted: () => boolean) => Promise<unknown>): void => {
      if (engine === null) return;
      const own = begun.current;
      const isWanted = (): boolean => own === begun.current;
      setFailure(null);
      setNotice(null);
      setProgress(null);
      setPhase(during);
      times.current = [];
      task(engine, isWanted)
        .catch((error: Error) => isWanted() && fail(error))
        .finally(() => isWanted() && showReached());
    },
    [engine, fail, showReached],
  );
  const settle = (): void => {
    showReached();
    rest();
  };
  const probe = async (running: Engine, isWanted: () => boolean): Promise<void> => {
    setPhase('probing');
    const found = await running.call('probe', settings.seeds);
    if (!isWanted()) return;
    setRows(found);
    settle();
  };

  return {
    phase,
    settings,
    set,
    brought,
    images,
    records,
    rows,
    progress,
    speed,
    failure,
    notice,
    start: () =>
      work('running', async (running, isWanted) => {
        setRows(null);
        const done = await running.call('run');
        if (!isWanted()) return;
        settle();
        if (done >= (set?.settings.iterations ?? 0)) await probe(running, isWanted);
      }),
    pause: () => void engine?.call('pause'),
    step: () =>
      work('running', async (running, isWanted) => {
        setRows(null);
        await running.call('step');
        if (isWanted()) settle();
      }),
    reset: () =>
      work('preparing', async (running, isWanted) => {
        const state = await running.call('reset');
        if (isWanted()) show(state);
      }),
    probe: () => work('probing', probe),
    upload: (file) =>
      work('preparing', async (running, isWanted) => {
        const bytes = new Uint8Array(await file.arrayBuffer());
        const name = await running.call('upload', settings, file.name, bytes);
        if (!isWanted()) return;
        const words = `${file.name} has taken the place of the set.`;
        if (name === brought) {
          show(await running.call('reset'));
          setNotice(words);
        } else {
          next.current = words;
          visit(withSet(search, name));
        }
      }),
    leaveBrought: () => visit(withSet(search, null)),
    download: (kind) => {
      const save = async (running: Engine): Promise<void> => {
        if (kind === 'safetensors') {
          const bytes = (await running.call('download')) as Uint8Array<ArrayBuffer>;
          saveAs(new Blob([bytes]), 'synthetic.safetensors');
          return;
        }
        const { pixels, width, height, channels } = await running.call('picture');
        saveAs(await pngOf(pixels, width, height, channels), 'images.png');
      };
      if (engine !== null) save(engine).catch((error: Error) => setFailure(error.message));
    },
  };
}
