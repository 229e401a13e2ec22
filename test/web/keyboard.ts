/** What somebody meets who uses keys alone, or listens. */
import type { Page } from 'playwright-core';

/** Role, name and state of what has the focus, as they are told to somebody who listens: `button "Start"`. */
export async function focused(page: Page): Promise<string> {
  const [first = ''] = (await page.locator(':focus').ariaSnapshot()).split('\n');
  // A name with a colon is quoted in such a snapshot, and a summary has no role of its own.
  return first.replace(/^- '?/, '').replace(/^text: (.+)$/, 'summary "$1"');
}

/** What the tab key comes by, from the page's top to its end, and the controls that it never comes by. */
export async function tabStops(page: Page): Promise<{ readonly stops: string[]; readonly missed: string[] }> {
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
  });
  const seen = await page.evaluateHandle(() => new Set<Element | null>([document.body]));
  const stops: string[] = [];
  for (;;) {
    await page.keyboard.press('Tab');
    const isNew = await seen.evaluate((set) => {
      const isNew = !set.has(document.activeElement);
      set.add(document.activeElement);
      return isNew;
    });
    if (!isNew) break;
    stops.push(await focused(page));
  }
  const missed = await seen.evaluate((set) => {
    // Of radio buttons one is a stop, and arrow keys go to the others.
    const groups = [...set].map((each) =>
      each instanceof HTMLInputElement && each.type === 'radio' ? each.name : null,
    );
    const controls = document.querySelectorAll(
      'a[href], button, input:enabled, select, textarea, summary, [tabindex="0"]',
    );
    return Array.from(controls)
      .filter((each) => each.checkVisibility() && !set.has(each))
      .filter(
        (each) => !(each instanceof HTMLInputElement && each.type === 'radio' && groups.includes(each.name)),
      )
      .map(({ outerHTML }) => outerHTML);
  });
  await seen.dispose();
  return { stops, missed };
}
