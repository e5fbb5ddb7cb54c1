import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** One file with everything in it; nothing comes from a network. */
export const page = readFileSync(new URL('../page.html', import.meta.url), 'utf8');

/** Nothing runs and nothing is loaded but the page's own script and style, by their hashes, and its own events. */
export const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    `script-src ${hashOf('script')}`,
    `style-src ${hashOf('style')}`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

function hashOf(element: 'script' | 'style'): string {
  const [, text = ''] = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(page) ?? [];
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
