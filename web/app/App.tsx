import { useEffect, useRef, useState } from 'preact/hooks';
import type { OpenedDevice } from '../protocol.js';
import { readView, type View, views, withView } from './address.js';
import { DeviceView } from './DeviceView.js';
import { DistilView } from './DistilView.js';
import { type Engine, offersWebGpu, startEngine } from './engine.js';
import { GradientView } from './GradientView.js';
import { NoGpu, type NoGpuProps } from './NoGpu.js';
import { useAddress } from './useAddress.js';
import { useDevice } from './useDevice.js';
import { useDistillation } from './useDistillation.js';
import { useInside } from './useInside.js';

const titles: Readonly<Record<View, string>> = {
  distil: 'Distil live',
  gradient: 'Inside the gradient',
  device: 'This device',
};

/** How the engine fares: on its way, on a device, or without one and why. */
type Opening = { readonly device: OpenedDevice | null; readonly failure: NoGpuProps | null };

/** Starts the engine once the page was painted. */
function useEngine(): Opening & { readonly engine: Engine | null } {
  const [engine, setEngine] = useState<Engine | null>(null);
  const [opening, setOpening] = useState<Opening>({ device: null, failure: null });
  useEffect(() => {
    const started = startEngine();
    started.call('open').then(
      (device) => {
        setOpening({ device, failure: null });
        setEngine(started);
      },
      async ({ message }: Error) =>
        setOpening({ device: null, failure: { reason: message, isOffered: await offersWebGpu() } }),
    );
    return started.listen((happening) => {
      if (happening.kind === 'reopened') setOpening({ device: happening.device, failure: null });
    });
  }, []);
  return { engine, ...opening };
}

function Navigation({ view, search, go }: { view: View; search: string; go: (search: string) => void }) {
  return (
    <nav aria-label="Views">
      {views.map((name) => (
        <a
          key={name}
          href={withView(search, name)}
          aria-current={name === view ? 'page' : undefined}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
            event.preventDefault();
            go(withView(search, name));
          }}
        >
          {titles[name]}
        </a>
      ))}
    </nav>
  );
}

export function App() {
  const { search, visit } = useAddress();
  const view = readView(search);
  const { engine, device, failure } = useEngine();
  const distillation = useDistillation(engine, search, visit);
  const inside = useInside(engine, distillation.set);
  const examination = useDevice(engine);
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(view);
  useEffect(() => {
    document.title = `${titles[view]} · hypergrad`;
    // Another view is another page to those who listen: reading goes on at its heading.
    if (shown.current !== view) heading.current?.focus();
    shown.current = view;
  }, [view]);

  return (
    <>
      <header class="top">
        <p class="name">hypergrad</p>
        <Navigation view={view} search={search} go={visit} />
      </header>
      <main>
        <h1 ref={heading} tabIndex={-1}>
          {titles[view]}
        </h1>
        {failure !== null && <NoGpu {...failure} />}
        {failure === null && view === 'distil' && <DistilView {...{ distillation, search, visit }} />}
        {failure === null && view === 'gradient' && (
          <GradientView {...{ distillation, inside, search, visit }} />
        )}
        {failure === null && view === 'device' && <DeviceView {...{ distillation, examination }} />}
      </main>
      <footer>
        <p>{device === null ? (failure === null ? 'Opening a device…' : 'No device') : device.description}</p>
      </footer>
    </>
  );
}
