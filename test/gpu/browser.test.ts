/** Which adapter is asked for and what is refused; test/browser opens a real one in a real browser. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ConfigError, DeviceError, DeviceTimeoutError } from '../../src/errors.js';
import { type BrowserDeviceChoice, openBrowserDevice } from '../../src/gpu/browser.js';

type Kind = 'hardware' | 'software';

/** An adapter that gives no device, so that the error tells which one was chosen. */
function adapter(kind: Kind) {
  const info = { vendor: 'maker', architecture: kind, device: '', description: '' };
  return {
    info: { ...info, isFallbackAdapter: kind === 'software' },
    features: new Set(),
    limits: {},
    requestDevice: () => Promise.reject(new Error('it is busy')),
  };
}

/** A browser with these adapters; `asked` lists what was requested of it. */
function browserWith(preferred: Kind | null, fallback: Kind | null): { asked: GPURequestAdapterOptions[] } {
  const asked: GPURequestAdapterOptions[] = [];
  const requestAdapter = (options: GPURequestAdapterOptions) => {
    asked.push(options);
    const kind = options.forceFallbackAdapter ? fallback : preferred;
    return Promise.resolve(kind && adapter(kind));
  };
  vi.stubGlobal('navigator', { gpu: { requestAdapter } });
  return { asked };
}

async function failure(choice?: BrowserDeviceChoice): Promise<string> {
  const error = await openBrowserDevice(choice === undefined ? {} : { choice }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DeviceError);
  return (error as DeviceError).message;
}

describe('openBrowserDevice', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('opens the adapter that is preferred for speed, and asks for no other', async () => {
    const { asked } = browserWith('hardware', 'software');
    expect(await failure()).toMatch(/'maker hardware' gives no device: it is busy/);
    expect(asked).toEqual([{ powerPreference: 'high-performance' }]);
  });

  it('takes the software adapter where there is no other, or by choice', async () => {
    browserWith(null, 'software');
    expect(await failure()).toMatch(/'maker software' gives no device/);
    browserWith('hardware', 'software');
    expect(await failure('software')).toMatch(/'maker software' gives no device/);
  });

  it('refuses an adapter of the other kind, naming it', async () => {
    browserWith('software', 'software');
    expect(await failure('hardware')).toMatch(/no hardware adapter .*maker software, which is software/);
    browserWith('hardware', 'hardware');
    expect(await failure('software')).toMatch(/no software adapter .*maker hardware, which is hardware/);
  });

  it('says so when there is no adapter at all', async () => {
    browserWith(null, null);
    expect(await failure()).toMatch(/no WebGPU adapter \(none\)/);
  });

  it('waits a minute at most for a browser whose driver hangs', async () => {
    vi.useFakeTimers();
    vi.stubGlobal('navigator', { gpu: { requestAdapter: () => new Promise<never>(() => {}) } });
    const opening = expect(openBrowserDevice()).rejects.toThrow(
      new DeviceTimeoutError(
        'The browser has not answered for 60 s while a device was looked for: its driver hangs, or one piece of work takes ' +
          'it that long. Choose another device, or restart the driver or the browser.',
      ),
    );
    await vi.advanceTimersByTimeAsync(60_000);
    await opening;
  });

  it('tells a page that is not secure from a browser without WebGPU', async () => {
    vi.stubGlobal('navigator', {});
    expect(await failure()).toMatch(/navigator\.gpu is missing.*hypergrad\/node/);
    vi.stubGlobal('isSecureContext', false);
    expect(await failure()).toMatch(/secure.*https.*localhost/);
  });

  it('says the same where there is no navigator', async () => {
    vi.stubGlobal('navigator', undefined);
    expect(await failure()).toMatch(/navigator\.gpu is missing/);
  });

  it('refuses an unknown choice and names the three that there are', async () => {
    browserWith('hardware', 'software');
    const opening = openBrowserDevice({ choice: 'bundled' as BrowserDeviceChoice });
    await expect(opening).rejects.toThrow(ConfigError);
    await expect(openBrowserDevice({ choice: 'bundled' as BrowserDeviceChoice })).rejects.toThrow(
      /'bundled'.*auto, hardware, software/,
    );
  });
});
