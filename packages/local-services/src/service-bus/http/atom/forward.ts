import { badRequest, withoutOuterSlashes } from '../../../http/index.ts';
import { type Context, encodePath } from './context.ts';

const URL_FORM = /^(?:sb|https?|amqps?):\/\/([^/?#]*)\/?([^?#]*)/i;

/**
 * Clients give the whole URL of where to forward, or only its path.
 * @returns the path @throws HttpError 400 for another namespace
 */
export function forwardPath(text: string, context: Context): string {
  const match = URL_FORM.exec(text);
  if (match === null) return withoutOuterSlashes(text);
  const hostName = match[1]!.toLowerCase().replace(/:\d+$/, '');
  if (!context.hostNames.has(hostName)) {
    throw badRequest(
      `Messages can be forwarded within one namespace only, which '${text.slice(0, 300)}' is not part of.`,
    );
  }
  try {
    return withoutOuterSlashes(decodeURIComponent(match[2]!));
  } catch {
    throw badRequest(`'${text.slice(0, 300)}' is not a valid URL.`);
  }
}

export const forwardUrl = (path: string, context: Context): string => `sb://${context.host}/${encodePath(path)}`;
