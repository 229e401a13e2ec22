import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readChoices, readSet, readView, withChoices, withSet, withView } from '../../web/app/address.js';
import { clamp, distilChoices, usualSettings } from '../../web/choices.js';
import { configOf, type DistilSettings } from '../../web/settings.js';

const names = Object.keys(distilChoices) as (keyof DistilSettings)[];

/** Any settings that a visitor can choose. */
const settings = fc
  .record(Object.fromEntries(names.map((name) => [name, fc.double({ min: -1e6, max: 1e6, noNaN: true })])))
  .map(
    (values) =>
      Object.fromEntries(
        names.map((name) => [name, clamp(distilChoices[name], values[name]!)]),
      ) as unknown as DistilSettings,
  );

describe('the page’s address', () => {
  it('holds all settings, and none that are as usual', () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        expect(readChoices(withChoices('?view=device', distilChoices, { ...chosen }), distilChoices)).toEqual(
          chosen,
        );
      }),
    );
    expect(withChoices('', distilChoices, { ...usualSettings })).toBe('?');
  });

  it('keeps the settings when the view changes', () => {
    expect(withView('?steps=4', 'gradient')).toBe('?steps=4&view=gradient');
    expect(withView('?steps=4&view=gradient', 'distil')).toBe('?steps=4');
    expect(readView('?view=gradient')).toBe('gradient');
    expect(readView('?view=<script>')).toBe('distil');
  });

  it('names the set that was brought, and nothing that is no name', () => {
    expect(withSet('?steps=4', '0123456789abcdef')).toBe('?steps=4&set=0123456789abcdef');
    expect(readSet('?steps=4&set=0123456789abcdef')).toBe('0123456789abcdef');
    expect(withSet('?set=0123456789abcdef', null)).toBe('?');
    expect(readSet('?set=../secret')).toBe(null);
    expect(readSet('?steps=4')).toBe(null);
  });

  it('takes rubbish for the usual, and what is too much for the most', () => {
    expect(readChoices('?steps=many&images=1e9&seed=-4', distilChoices)).toEqual({
      ...usualSettings,
      images: 50,
      seed: 0,
    });
  });
});

describe('every setting that can be chosen', () => {
  it('is a configuration that a run would take', () => {
    fc.assert(
      fc.property(settings, (chosen) => {
        const { distil, experts } = configOf(chosen);
        expect(distil.steps).toBe(chosen.steps);
        expect(distil.expertEpochs + distil.startEpochs - 1).toBeLessThanOrEqual(experts.epochs);
      }),
    );
  });
});
