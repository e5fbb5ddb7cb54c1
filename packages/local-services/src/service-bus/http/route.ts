import { badRequest } from '../../http/http-error.ts';
import { withoutOuterSlashes } from '../../http/slashes.ts';

/** What a method and a path ask for. Paths and names are as the client wrote them, decoded. */
export type Route =
  | { readonly kind: 'root' | 'namespace' }
  | { readonly kind: 'list'; readonly of: 'queues' | 'topics' }
  /** A queue or a topic: the path does not tell which. */
  | { readonly kind: 'entity'; readonly path: string }
  | { readonly kind: 'subscriptions'; readonly topic: string }
  | { readonly kind: 'subscription'; readonly topic: string; readonly name: string }
  | { readonly kind: 'rules'; readonly topic: string; readonly subscription: string }
  | { readonly kind: 'rule'; readonly topic: string; readonly subscription: string; readonly name: string }
  /** Messages of a queue, topic, subscription or sub-queue: to send, to receive, to settle. */
  | { readonly kind: 'send' | 'receive'; readonly path: string }
  | { readonly kind: 'locked'; readonly path: string; readonly message: string; readonly lockToken: string };

/** Path of the entity that an operation of management is about; '' is the namespace. */
export function managedPath(route: Route): string {
  switch (route.kind) {
    case 'entity':
      return route.path;
    case 'subscriptions':
      return route.topic;
    case 'subscription':
      return `${route.topic}/Subscriptions/${route.name}`;
    case 'rules':
    case 'rule':
      return `${route.topic}/Subscriptions/${route.subscription}`;
    default:
      return '';
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @returns segments of a URL's path, decoded, without empty ones at its ends @throws HttpError 400 */
export function segmentsOf(pathname: string): string[] {
  try {
    // An encoded slash is a slash: names may hold them, and clients differ in how they write it.
    const path = withoutOuterSlashes(decodeURIComponent(pathname));
    return path === '' ? [] : path.split('/');
  } catch {
    throw badRequest('The URL is not encoded well.');
  }
}

/**
 * Words of the API compare without case. A path that could be an entity's as well as its messages' is taken for
 * messages when the method is one that messages have.
 */
export function routeOf(method: string, segments: readonly string[]): Route {
  const words = segments.map((segment) => segment.toLowerCase());
  const path = (end: number): string => segments.slice(0, end).join('/');
  const count = segments.length;
  if (count === 0) return { kind: 'root' };
  if (words[0] === '$namespaceinfo' && count === 1) return { kind: 'namespace' };
  if (words[0] === '$resources' && count === 2 && (words[1] === 'queues' || words[1] === 'topics')) {
    return { kind: 'list', of: words[1] };
  }
  if (method === 'POST' && count > 1 && words[count - 1] === 'messages') return { kind: 'send', path: path(count - 1) };
  if (count > 2 && words[count - 2] === 'messages' && words[count - 1] === 'head' && /^(POST|DELETE)$/.test(method)) {
    return { kind: 'receive', path: path(count - 2) };
  }
  if (count > 3 && words[count - 3] === 'messages' && UUID.test(segments[count - 1]!) && method !== 'GET') {
    const [message, lockToken] = segments.slice(count - 2) as [string, string];
    return { kind: 'locked', path: path(count - 3), message, lockToken: lockToken.toLowerCase() };
  }
  const at = words.lastIndexOf('subscriptions');
  const rest = count - at - 1;
  if (at < 1 || rest > 3 || (rest > 1 && words[at + 2] !== 'rules')) return { kind: 'entity', path: path(count) };
  const topic = path(at);
  const [subscription = '', , rule = ''] = segments.slice(at + 1);
  if (rest === 0) return { kind: 'subscriptions', topic };
  if (rest === 1) return { kind: 'subscription', topic, name: subscription };
  return rest === 2 ? { kind: 'rules', topic, subscription } : { kind: 'rule', topic, subscription, name: rule };
}
