import { findChromium } from '@polycast/local-services';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SERVICES } from '../src/offers.ts';
import { type Plan, readPlan } from '../src/plan.ts';
import { type Running, start } from '../src/start.ts';

const executablePath = await findChromium();
if (executablePath === undefined) {
  if (process.env.CI === 'true') {
    test('a real browser', () => {
      throw new Error('no Chromium was found; install it or name one in POLYCAST_CHROMIUM');
    });
  } else test.skip('a real browser (not run: no Chromium was found)');
} else {
  describe('a real browser', () => {
    let browser: Browser;
    /** One where all answer at once, and one whose hotels never do. */
    const running = new Map<'quick' | 'slow', Running>();

    async function startExample(name: 'quick' | 'slow'): Promise<void> {
      const times = SERVICES.map((service) => `${service}=${name === 'slow' && service === 'hotels' ? 60_000 : 20}`);
      const args = ['--url', `memory:${name}`, '--deadline', '2000', ...times.flatMap((time) => ['--slow', time])];
      running.set(name, await start(readPlan(args, {}) as Plan, () => {}));
    }

    beforeAll(async () => {
      await Promise.all([startExample('quick'), startExample('slow')]);
      browser = await chromium.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      });
    });
    afterAll(async () => {
      await browser?.close();
      await Promise.all([...running.values()].map((one) => one.close()));
    });

    async function open(name: 'quick' | 'slow'): Promise<{ page: Page; complaints: string[] }> {
      const page = await browser.newPage();
      onTestFinished(() => page.close());
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      await page.goto(running.get(name)!.pages[0]!);
      return { page, complaints };
    }

    test('shows parts as they arrive, who answered, and what is missing at the deadline', async () => {
      const { page, complaints } = await open('slow');
      await page.getByLabel('To').fill('São Paulo');
      await page.getByRole('button', { name: 'Search' }).click();
      // Three parts are there before the fourth is given up.
      await page.getByText('3 of 4 services have answered').waitFor();
      expect(await page.getByText('waiting …').count()).toBe(1);
      await page.getByRole('status').getByText('time is up: hotels did not answer in time').waitFor();
      expect(await page.getByRole('heading', { level: 2 }).textContent()).toBe('Hamburg → São Paulo');
      const rows = await page.getByRole('listitem').allTextContents();
      expect(rows).toHaveLength(4);
      for (const [at, service] of SERVICES.entries()) {
        expect(rows[at]).toMatch(service === 'hotels' ? /did not answer in time/ : new RegExp(`s by ${service}-`));
      }
      expect(await page.getByText(/^from .* without hotels$/).count()).toBe(1);
      expect(await page.locator('footer').textContent()).toMatch(/^Asked by web-\w+, gathered by aggregator-\w+$/);
      expect(complaints).toEqual([]);
    });

    test('can be worked with the keyboard, twice, and says what the web tier refuses', async () => {
      const { page, complaints } = await open('quick');
      await page.getByLabel('From').focus();
      const searches: string[] = [];
      page.on('request', (request) => void searches.push(request.url()));
      for (const count of [1, 2]) {
        await page.keyboard.press('Enter');
        await expect.poll(() => searches.length).toBe(count);
        await page.getByRole('button', { disabled: false }).waitFor();
        expect(await page.getByRole('status').textContent()).toMatch(/^all 4 services answered within/);
      }
      expect(complaints).toEqual([]);
      // The browser's own check lets it pass.
      await page.getByLabel('From').fill('12345');
      await page.keyboard.press('Enter');
      await page.getByText('the web tier refused the search').waitFor();
      expect(await page.getByRole('button').isEnabled()).toBe(true);
    });

    test('runs nothing but its own script', async () => {
      const { page } = await open('quick');
      // In the page; a string, because these tests know no DOM.
      const ran = await page.evaluate(`(async () => {
        const script = document.createElement('script');
        script.textContent = 'globalThis.smuggled = true';
        document.body.append(script);
        const blocked = await fetch('https://example.com/').then(() => false, () => true);
        return { smuggled: globalThis.smuggled === true, blocked };
      })()`);
      expect(ran).toEqual({ smuggled: false, blocked: true });
    });
  });
}
