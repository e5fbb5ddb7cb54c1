import { HttpError } from './http-error.ts';

/** One path, and what each method does there. */
export interface Route<Endpoint> {
  /**
   * Segments with slashes between them. `{name}` stands for one segment; `{name+}`, as the first one, for one or more. Words are
   * compared without case, so that `topics/{topic}/rules` matches `/Topics/Orders/rules`, and `''` matches the root.
   */
  readonly path: string;
  readonly methods: Readonly<Record<string, Endpoint>>;
  /** What a segment must look like for this route to match. @default anything */
  readonly where?: Readonly<Record<string, RegExp>>;
  /** Are methods that it does not have left to the routes below? @default false: they are answered with 405 */
  readonly isShared?: boolean;
}

export interface RouteMatch<Endpoint> {
  readonly endpoint: Endpoint;
  /** Of each `{name}`, as the client wrote it, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

interface CompiledRoute<Endpoint> extends Route<Endpoint> {
  /** Name of the parameter that takes one segment or more. */
  readonly rest: string | undefined;
  readonly parts: readonly (
    | { readonly word: string }
    | { readonly name: string; readonly pattern: RegExp | undefined }
  )[];
}

/** Finds what answers a request; the first route that matches does. */
export class RouteTable<Endpoint> {
  readonly #routes: readonly CompiledRoute<Endpoint>[];

  constructor(routes: readonly Route<Endpoint>[]) {
    this.#routes = routes.map(compile);
  }

  /** @throws HttpError 405 if the path has no such method, 404 if there is no such path */
  find(method: string, segments: readonly string[]): RouteMatch<Endpoint> {
    const words = segments.map((segment) => segment.toLowerCase());
    for (const route of this.#routes) {
      const parameters = match(route, segments, words);
      if (parameters === undefined) continue;
      if (Object.hasOwn(route.methods, method)) return { endpoint: route.methods[method]!, parameters };
      if (route.isShared) continue;
      throw new HttpError(405, `The method '${method}' is not allowed for this resource.`, {
        headers: { Allow: Object.keys(route.methods).join(', ') },
      });
    }
    throw new HttpError(404, 'No resource exists at this path.');
  }
}

function compile<Endpoint>(route: Route<Endpoint>): CompiledRoute<Endpoint> {
  const segments = route.path === '' ? [] : route.path.split('/');
  const [, rest] = /^\{(\w+)\+\}$/.exec(segments[0] ?? '') ?? [];
  const parts = segments.slice(rest === undefined ? 0 : 1).map((segment) => {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    return name === undefined ? { word: segment.toLowerCase() } : { name, pattern: route.where?.[name] };
  });
  return { ...route, rest, parts };
}

/** @returns undefined if it does not match */
function match<Endpoint>(
  { rest, parts }: CompiledRoute<Endpoint>,
  segments: readonly string[],
  words: readonly string[],
): Record<string, string> | undefined {
  const before = segments.length - parts.length;
  if (rest === undefined ? before !== 0 : before < 1) return undefined;
  const parameters: Record<string, string> = rest === undefined ? {} : { [rest]: segments.slice(0, before).join('/') };
  for (const [at, part] of parts.entries()) {
    const segment = segments[before + at]!;
    if ('word' in part) {
      if (words[before + at] !== part.word) return undefined;
    } else {
      if (part.pattern?.test(segment) === false) return undefined;
      parameters[part.name] = segment;
    }
  }
  return parameters;
}
