/** The worker: a session on the browser's device, told what to do by messages. */
import { del, get, set } from 'idb-keyval';
import { openBrowserDevice } from '../../src/gpu/browser.js';
import digitsUrl from '../.generated/digits.bin?url';
import type { Answer, Call, Methods } from '../protocol.js';
import teacherUrl from '../recorded/teacher.safetensors?url';
import { readDigits } from './digits.js';
import type { Keeper } from './keeper.js';
import type { Material } from './prepare.js';
import { Session } from './session.js';

async function fetchBytes(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} is missing (${response.status}). Build the page again.`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load(): Promise<Material> {
  const [digits, teacher] = await Promise.all([fetchBytes(digitsUrl), fetchBytes(teacherUrl)]);
  return { dataset: await readDigits(digits), teacher };
}

/** The browser's own store. Where it refuses, as in private windows, a page that is closed starts anew. */
const keeper: Keeper = {
  load: async (key) => await get(key).catch(() => undefined),
  save: async (key, value) => await set(key, value).catch(() => undefined),
  remove: async (key) => await del(key).catch(() => undefined),
};

const post = (answer: Answer): void => globalThis.postMessage(answer);

const session = new Session({
  open: openBrowserDevice,
  load,
  keeper,
  tell: (happening) => post({ happening }),
});

type Promised = {
  [Name in keyof Methods]: (
    ...given: Parameters<Methods[Name]>
  ) => ReturnType<Methods[Name]> | Promise<ReturnType<Methods[Name]>>;
};

// The compiler holds the session to what the page was promised.
const methods: Promised = {
  open: () => session.open(),
  begin: (settings, brought) => session.begin(settings, brought),
  run: () => session.run(),
  pause: () => session.pause(),
  step: () => session.step(),
  reset: () => session.reset(),
  probe: (seeds) => session.probe(seeds),
  examine: () => session.examine(),
  lookInside: () => session.lookInside(),
  download: () => session.download(),
  picture: () => session.picture(),
  upload: (settings, file, bytes) => session.upload(settings, file, bytes),
  loseDevice: () => session.loseDevice(),
};

globalThis.addEventListener('message', async ({ data }: MessageEvent<Call>) => {
  const { id, method } = data;
  try {
    const call = methods[method] as (...given: readonly unknown[]) => unknown;
    post({ id, result: await call(...data.arguments) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    post({ id, error: { name, message } });
  }
});
