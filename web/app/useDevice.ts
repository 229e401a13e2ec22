/** What is known of the device. */
import { useCallback, useState } from 'preact/hooks';
import type { DeviceReport } from '../device.js';
import type { Engine } from './engine.js';

export interface Examination {
  readonly report: DeviceReport | null;
  readonly isBusy: boolean;
  readonly failure: string | null;
  measure(): void;
}

export function useDevice(engine: Engine | null): Examination {
  const [report, setReport] = useState<DeviceReport | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const measure = useCallback((): void => {
    if (engine === null) return;
    setBusy(true);
    setFailure(null);
    engine
      .call('examine')
      .then(setReport, (error: Error) => setFailure(error.message))
      .finally(() => setBusy(false));
  }, [engine]);
  return { report, isBusy, failure, measure };
}
