import { describe, expect, it } from 'vitest';
import { Content } from '../../../src/service-bus/message/index.ts';
import { SYSTEM_PROPERTIES, TimeSpan } from '../../../src/service-bus/rules/index.ts';
import { ruleOf } from './messages.ts';

const content = Content.build({
  body: Buffer.from('{}'),
  subject: 'Order',
  timeToLiveMs: 60_000,
  applicationProperties: new Map([['Colour', 'red']]),
});

describe('an encoded message', () => {
  it('answers for every system property that rules take for granted', () => {
    for (const name of SYSTEM_PROPERTIES.keys()) expect([name, content.system(name)]).not.toEqual([name, undefined]);
    expect(content.system('body')).toBeUndefined();
  });

  it('is matched and changed', () => {
    const rule = ruleOf(
      "sys.Subject = 'Order' AND colour = 'red' AND sys.TimeToLive IS NOT NULL",
      "SET sys.TimeToLive = '00:00:05'; SET colour = colour + '!'; SET sys.To = newid()",
    );
    expect(rule.matches(content)).toBe(true);
    const changed = content.with(rule.apply!(content));
    expect(changed.system('timetolive')).toEqual(TimeSpan.ofMs(5_000));
    expect(changed.ttlMs).toBe(5_000);
    expect(changed.applicationProperties).toEqual(new Map([['Colour', 'red!']]));
    expect(changed.system('to')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });
});
