import { expect, test } from 'vitest';
import { Model, type ModelSubscription } from '../src/history/model.ts';

/** Two participants of role a, one of role b; what each received is written by hand. */
function scene() {
  const model = new Model();
  const received = new Map<ModelSubscription, number[]>();
  const add = (slot: number, role: string, instance: string, group = false) => {
    const one = model.subscribe(slot, role, instance, group);
    received.set(one, []);
    return one;
  };
  return { model, received, add, judge: () => model.judge((one) => received.get(one) ?? []) };
}

test('what everybody got as they must is right', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0');
  const two = add(2, 'b', 'p2');
  model.publish(1, 's', ['*'], false, false);
  model.publish(1, 's', ['role:b'], false, false);
  received.get(one)?.push(0);
  received.get(two)?.push(0, 1);
  expect(judge()).toEqual([]);
});

test('a loss, a leak, a repetition and a swap are each seen', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0');
  const two = add(2, 'b', 'p2');
  for (let n = 0; n < 3; n++) model.publish(1, 's', ['role:a'], false, false);
  received.get(one)?.push(2, 1, 1);
  received.get(two)?.push(0);
  expect(judge().join('\n')).toMatch(/p0 did not get 0/);
  expect(judge().join('\n')).toMatch(/p0 got 1 twice/);
  expect(judge().join('\n')).toMatch(/p0 got 1 after 2/);
  expect(judge().join('\n')).toMatch(/p2 got 0, which was not for it/);
});

test('a publisher must not get its own, unless it asked for a copy', () => {
  const { model, received, add, judge } = scene();
  const own = add(0, 'a', 'p0');
  model.publish(0, 's', ['*'], false, false);
  received.get(own)?.push(0);
  expect(judge()).toHaveLength(1);
  model.publish(0, 's', ['*'], true, false);
  received.get(own)?.splice(0, 1, 1);
  expect(judge()).toEqual([]);
});

test('one member of a group must get an event, and only one', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0', true);
  const two = add(1, 'a', 'p1', true);
  model.publish(2, 's', ['*'], false, false);
  expect(judge()).toEqual(['no member of the group of role a got 0']);
  received.get(one)?.push(0);
  expect(judge()).toEqual([]);
  received.get(two)?.push(0);
  expect(judge()).toEqual(['the group of role a got 0 twice']);
});

test('each role has a group of its own', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0', true);
  const two = add(2, 'b', 'p2', true);
  model.publish(3, 's', ['*'], false, false);
  model.publish(3, 's', ['role:a'], false, false);
  received.get(one)?.push(0, 1);
  expect(judge()).toEqual(['no member of the group of role b got 0']);
  received.get(two)?.push(0);
  expect(judge()).toEqual([]);
  received.get(two)?.push(1);
  expect(judge()).toEqual(['subscription 1 of p2 in the group got 1, for which it did not compete']);
});

test('what is for an instance comes to each of its subscriptions, and to no other member', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0', true);
  const sibling = add(0, 'a', 'p0', true);
  const other = add(1, 'a', 'p1', true);
  model.publish(2, 's', ['instance:p0'], false, false);
  received.get(one)?.push(0);
  expect(judge()).toEqual(['subscription 1 of p0 in the group did not get 0']);
  received.get(sibling)?.push(0);
  expect(judge()).toEqual([]);
  received.get(other)?.push(0);
  expect(judge()).toEqual(['subscription 2 of p1 in the group got 0, for which it did not compete']);
});

test('what is for a role and an instance comes to the instance, and once more to the group', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0', true);
  const two = add(1, 'a', 'p1', true);
  const three = add(1, 'a', 'p1', true);
  model.publish(2, 's', ['role:a', 'instance:p0'], false, false);
  received.get(two)?.push(0);
  expect(judge()).toEqual(['subscription 0 of p0 in the group did not get 0']);
  received.get(one)?.push(0);
  expect(judge()).toEqual([]);
  received.get(three)?.push(0);
  expect(judge()).toEqual(['the group of role a got 0 twice']);
});

test('an expired event must not come to who was paused all the time, and may come to others', () => {
  const { model, received, add, judge } = scene();
  const paused = add(0, 'a', 'p0');
  const open = add(1, 'a', 'p1');
  paused.paused = true;
  model.publish(2, 's', ['*'], false, true);
  expect(judge()).toEqual([]);
  received.get(open)?.push(0);
  model.clock((one) => received.get(one) ?? []);
  expect(judge()).toEqual([]);
  received.get(paused)?.push(0);
  expect(judge()).toHaveLength(1);
});

test('what was under way when the connection broke may be lost, what came later may not', () => {
  const { model, received, add, judge } = scene();
  const one = add(0, 'a', 'p0');
  model.publish(1, 's', ['*'], false, false);
  model.lossy((subscription) => received.get(subscription) ?? []);
  expect(judge()).toEqual([]);
  model.publish(1, 's', ['*'], false, false);
  expect(judge()).toEqual(['subscription 0 of p0 did not get 1']);
  received.get(one)?.push(1);
  expect(judge()).toEqual([]);
});

test('a new subscription may get what is on its way to another of its broadcaster, and nothing older', () => {
  const { model, received, add, judge } = scene();
  const first = add(0, 'a', 'p0');
  model.publish(1, 's', ['*'], false, false);
  received.get(first)?.push(0);
  model.publish(1, 's', ['*'], false, false);
  const second = model.subscribe(0, 'a', 'p0', false, (one) => received.get(one) ?? []);
  received.set(second, [1]);
  received.get(first)?.push(1);
  expect(judge()).toEqual([]);
  received.set(second, [0]);
  expect(judge()).toEqual(['subscription 1 of p0 got 0, which was not for it']);
});
