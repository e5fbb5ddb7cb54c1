import { describe, expect, test } from 'vitest';
import { addressTarget } from '../../src/filter/push-down/addresses.ts';
import { pushedTo } from './push-down-pushed.ts';

describe.each(['channel', 'group'] as const)('a target that knows addresses, each a %s', (word) => {
  const target = addressTarget('addresses', 'A service that knows addresses', word);
  test.each([
    ["to = 'role:kitchen'", ['role:kitchen']],
    ["to IN ('role:a', 'instance:b,role:a') AND priority > 3", ['role:a', 'instance:b']],
    ["NOT EXISTS to OR to = 'role:a'", ['*', 'role:a']],
    ["to = 'role:a' OR type = 'b'", undefined],
    ["to = 'nobody'", undefined],
    ["to != 'role:a'", undefined],
    ["to LIKE 'role:%'", undefined],
    ["to = 'role:a' AND to = 'role:b'", []],
  ])('%s', (filter, native) => {
    const pushed = pushedTo(target, filter);
    expect(pushed.native).toEqual(native);
    if (native?.length !== 0) expect(pushed.left).not.toBe('TRUE');
  });
});
