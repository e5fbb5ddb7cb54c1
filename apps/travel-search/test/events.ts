/** One server-sent event. */
export interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** What a search at a page's address streams, to its end. Every search is another one, so that nothing can be repeated from memory. */
export async function search(page: string, nights = 1): Promise<readonly Heard[]> {
  const response = await fetch(`${page}search?from=Hamburg&to=Lisbon&day=2026-12-01&people=2&nights=${nights}`);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.text())
    .split('\n\n')
    .filter(Boolean)
    .map((block) => {
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) };
    });
}

/** The service and instance of each part, in the order of arrival. */
export function partsOf(heard: readonly Heard[]): readonly { service: unknown; from: unknown }[] {
  return heard.filter(({ event }) => event === 'part').map(({ data: { service, from } }) => ({ service, from }));
}

export function servicesOf(heard: readonly Heard[]): readonly unknown[] {
  return partsOf(heard)
    .map(({ service }) => service)
    .sort();
}
