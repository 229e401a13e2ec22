import { describe, expect, it } from 'vitest';
import { type Course, follow, type Place } from '../../../src/pipeline/stages/course.js';

/** A course that writes down what it is asked to do. */
function recorded(
  epochs: number,
  steps: number,
  withEpochs: boolean,
): { course: Course; submitted: string[]; places: Place[] } {
  const submitted: string[] = [];
  const places: Place[] = [];
  const course: Course = {
    epochs,
    batches: (epoch) => Array.from({ length: steps }, (_, step) => Int32Array.of(epoch, step)),
    submit: async (batches, place) => {
      expect([...batches[0]!]).toEqual([place.epoch, place.step]);
      submitted.push(...batches.map((batch) => batch.join('.')));
    },
    wait: async () => {},
    reached: async (next) => {
      places.push(next);
    },
    ...(withEpochs
      ? {
          onEpoch: async (epoch) => {
            submitted.push(`end of ${epoch}`);
          },
        }
      : {}),
  };
  return { course, submitted, places };
}

describe.each([true, false])('a course with a view of each epoch: %s', (withEpochs) => {
  it.each([
    [1, 1],
    [1, 7],
    [3, 1],
    [4, 5],
    [2, 64],
  ])(
    'of %i epochs of %i steps takes each step once and in order, from every place where it can be kept',
    async (epochs, steps) => {
      const whole = recorded(epochs, steps, withEpochs);
      await follow(whole.course);
      const steps0 = whole.submitted.filter((name) => !name.startsWith('end'));
      expect(steps0).toEqual(
        Array.from({ length: epochs * steps }, (_, k) => `${Math.floor(k / steps)}.${k % steps}`),
      );
      for (const place of whole.places) {
        const rest = recorded(epochs, steps, withEpochs);
        await follow(rest.course, place);
        expect(rest.submitted).toEqual(whole.submitted.slice(whole.submitted.length - rest.submitted.length));
        expect(rest.submitted.filter((name) => !name.startsWith('end'))).toHaveLength(
          (epochs - place.epoch) * steps - place.step,
        );
      }
    },
  );
});

it('tells each epoch before the place behind it, also the last', async () => {
  const { course, submitted, places } = recorded(2, 1, true);
  await follow(course);
  expect(submitted).toEqual(['0.0', 'end of 0', '1.0', 'end of 1']);
  expect(places).toEqual([
    { epoch: 1, step: 0 },
    { epoch: 2, step: 0 },
  ]);
});
