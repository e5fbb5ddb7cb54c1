import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));
/** Each is a service by itself; the other folders are for all of them. */
const SERVICES = ['redis', 'service-bus'];

it('what every service shares depends on no service', () => {
  const shared = readdirSync(SOURCES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !SERVICES.includes(entry.name))
    .map(({ name }) => name);
  expect(shared).toContain('listener');
  const wrong = shared.flatMap((room) =>
    readdirSync(join(SOURCES, room)).flatMap((file) => {
      const imported = [...readFileSync(join(SOURCES, room, file), 'utf8').matchAll(/from '(\.[^']+)'/g)];
      return imported
        .map(([, path]) => normalize(join(room, path as string)))
        .filter((path) => SERVICES.some((service) => path.startsWith(`${service}/`)))
        .map((path) => `${room}/${file} imports ${path}`);
    }),
  );
  expect(wrong).toEqual([]);
});
