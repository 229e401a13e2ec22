/** The hypergradient that the worker takes apart for the page. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { InsideGradient } from '../inside.js';
import type { SetState } from '../protocol.js';
import type { Engine } from './engine.js';

export interface Inside {
  readonly found: InsideGradient | null;
  readonly isBusy: boolean;
  readonly failure: string | null;
  look(): void;
}

export function useInside(engine: Engine | null, set: SetState | null): Inside {
  const [found, setFound] = useState<InsideGradient | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  // Another set has another gradient.
  useEffect(() => {
    if (set !== null) setFound(null);
  }, [set]);
  const look = useCallback((): void => {
    if (engine === null) return;
    setBusy(true);
    setFailure(null);
    engine
      .call('lookInside')
      .then(setFound, (error: Error) => setFailure(error.message))
      .finally(() => setBusy(false));
  }, [engine]);
  return { found, isBusy, failure, look };
}
