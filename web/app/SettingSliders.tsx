import { distilChoices } from '../choices.js';
import type { DistilSettings } from '../settings.js';
import { withChoices } from './address.js';
import { Slider } from './Slider.js';
import type { Distillation } from './useDistillation.js';

interface SettingSlidersProps {
  readonly names: readonly (keyof DistilSettings)[];
  readonly distillation: Distillation;
  readonly search: string;
  visit(search: string): void;
}

/** Settings as sliders. What a brought set decides itself is shown, and cannot be changed. */
export function SettingSliders({ names, distillation, search, visit }: SettingSlidersProps) {
  const { phase, set, settings } = distillation;
  // A new distillation waits for the one that is being prepared, so a slider keeps the focus between two of its keys.
  const isBusy = phase === 'running' || phase === 'probing';
  return (
    <div class="sliders">
      {names.map((name) => {
        const isOwn = set?.own.includes(name) ?? false;
        return (
          <Slider
            key={name}
            choice={distilChoices[name]}
            value={isOwn ? set!.settings[name] : settings[name]}
            disabled={isBusy || isOwn}
            choose={(value) => visit(withChoices(search, distilChoices, { ...settings, [name]: value }))}
          />
        );
      })}
    </div>
  );
}
