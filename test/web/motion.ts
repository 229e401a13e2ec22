/** What moves in a page. */
import type { Page } from 'playwright-core';

declare global {
  /** When the set's picture was drawn, in the page. */
  var pictureTimes: number[];
}

/** Keeps from now on, until the page is left, when the set's picture is drawn. */
export async function watchPictures(page: Page): Promise<void> {
  await page.evaluate(() => {
    globalThis.pictureTimes = [];
    const { putImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.putImageData = function (...given: unknown[]): void {
      if (this.canvas.closest('.hero') !== null) globalThis.pictureTimes.push(performance.now());
      Reflect.apply(putImageData, this, given);
    };
  });
}

/** Milliseconds between pictures since they are watched. */
export async function timesBetweenPictures(page: Page): Promise<number[]> {
  const times = await page.evaluate(() => globalThis.pictureTimes);
  return times.slice(1).map((time, k) => time - times[k]!);
}

/** What changes in a page over some time, rather than at once: animations, transitions, smooth scrolling. */
export async function movements(page: Page): Promise<string[]> {
  return await page.evaluate(() => {
    const running = document.getAnimations().map((animation) => `runs: ${animation.constructor.name}`);
    const styled = Array.from(document.querySelectorAll('*')).flatMap((element) => {
      const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(element);
      const isStill =
        /^(0s(, )?)+$/.test(transitionDuration) && animationName === 'none' && scrollBehavior === 'auto';
      return isStill
        ? []
        : [`${element.tagName}: ${transitionDuration}, ${animationName}, ${scrollBehavior}`];
    });
    return [...running, ...styled];
  });
}
