// Takes docs/images/compare.png: the head of a report that `polycast compare` wrote. Needs Chromium.
//   npm start && node scripts/picture.mjs
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium } from '@polycast/local-services';
import { chromium } from 'playwright-core';
import { root } from './pnpm.mjs';

const report = join(root, 'report/index.html');
if (!existsSync(report)) throw new Error('there is no report: run npm start first');
const browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1120, height: 1000 }, colorScheme: 'light' });
await page.goto(pathToFileURL(report).href);
const chart = await page.locator('svg.chart').first().boundingBox();
await page.screenshot({
  path: join(root, 'docs/images/compare.png'),
  clip: { x: 0, y: 0, width: 1120, height: Math.round(chart.y + chart.height) },
});
await browser.close();
