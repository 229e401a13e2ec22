/**
 * Makes what the page brings beside the digits: the teacher, trained by the pipeline's own stage, and a whole distillation for
 * browsers without WebGPU, by the page's own session. `npm run web:record`, or `npm run web:record -- --keep-teacher` for the run
 * alone; both are on the software device that comes with the package, so that they can be made again bit by bit.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openDevice } from '../src/gpu/node/openDevice.js';
import { loadDataset } from '../src/pipeline/data/dataset.js';
import { files } from '../src/pipeline/stages/context.js';
import { trainTeacher } from '../src/pipeline/stages/teacher.js';
import { EventLog } from '../src/pipeline/store/events.js';
import { encodePng } from '../src/pipeline/store/png.js';
import { RunFolder } from '../src/pipeline/store/runFolder.js';
import { usualSettings } from './choices.js';
import { toBytes } from './pixels.js';
import type { SetState } from './protocol.js';
import type { Recording } from './recording.js';
import { configOf } from './settings.js';
import { Session } from './worker/session.js';

const FOLDER = resolve(import.meta.dirname, '../recorded');
/** Every so many iterations of the recorded run are a frame. */
const FRAME_EVERY = 4;

const say = (text: string): boolean => process.stderr.write(`${text}\n`);

const config = configOf(usualSettings);
const dataset = await loadDataset(config.data, config.seed);
const device = await openDevice({ choice: 'bundled' });

async function recordTeacher(): Promise<Uint8Array> {
  const path = await mkdtemp(join(tmpdir(), 'hypergrad-record-'));
  const folder = await RunFolder.open(path);
  try {
    const events = new EventLog(folder.pathOf('events.jsonl'));
    const advance = (done: number, loss?: number): void => {
      say(`teacher ${done}/${config.teacher.steps}${loss === undefined ? '' : `, loss ${loss}`}`);
    };
    await trainTeacher({ config, dataset, device, folder, events, advance });
    await events.flush();
    return await readFile(folder.pathOf(files.teacher));
  } finally {
    await folder.close();
    await rm(path, { recursive: true });
  }
}

async function recordRun(teacher: Uint8Array): Promise<void> {
  const frames: Uint8Array[] = [];
  let state: SetState | null = null;
  const session = new Session({
    open: async () => device,
    load: async () => ({ dataset, teacher }),
    keeper: { load: async () => undefined, save: async () => undefined, remove: async () => undefined },
    tell(happening) {
      if (happening.kind === 'progress') say(`${happening.what} ${happening.done}/${happening.total}`);
      if (happening.kind !== 'iteration' || state === null) return;
      const { record, images } = happening;
      say(`iteration ${record.iteration}: ${record.loss}`);
      if ((record.iteration + 1) % FRAME_EVERY === 0) frames.push(toBytes({ ...state.now, data: images }));
    },
  });
  state = await session.begin(usualSettings);
  frames.push(toBytes(state.now));
  const began = performance.now();
  await session.run();
  const seconds = (performance.now() - began) / 1000;
  const rows = await session.probe(usualSettings.seeds);
  const { records } = session;
  const { count, image } = state.now;
  const recording: Recording = {
    settings: usualSettings,
    device: device.adapter.name,
    every: FRAME_EVERY,
    frames: frames.length,
    count,
    image,
    records,
    seconds,
    rows,
  };
  await writeFile(join(FOLDER, 'run.json'), `${JSON.stringify(recording)}\n`);
  const [, height, width] = image;
  const pixels = new Uint8Array(frames.length * frames[0]!.length);
  for (const [k, frame] of frames.entries()) pixels.set(frame, k * frame.length);
  await writeFile(join(FOLDER, 'run.png'), await encodePng(pixels, width, height * count * frames.length, 1));
}

try {
  await mkdir(FOLDER, { recursive: true });
  const isTeacherWanted = !process.argv.includes('--keep-teacher');
  const teacherFile = join(FOLDER, 'teacher.safetensors');
  if (isTeacherWanted) await writeFile(teacherFile, await recordTeacher());
  await recordRun(await readFile(teacherFile));
} finally {
  device.close();
  dataset.close();
}
