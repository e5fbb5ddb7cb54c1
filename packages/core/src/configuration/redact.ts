const HIDDEN = '***';
const SECRET_NAME = /key|token|secret|pass|pwd|sig$|signature|sas|auth|credential/i;

/**
 * An address with its secrets removed, fit for errors, logs and reports: the password, a user name that stands alone (it may
 * be a token), and query, fragment or connection-string values whose name sounds secret. Takes malformed text as well.
 */
export function redactUrl(url: string | URL): string {
  const text = typeof url === 'string' ? url : url.href;
  return (isUrl(text) ? hideUser(text) : text.replace(/\/\/.*@/s, `//${HIDDEN}@`)).replace(
    /([?&#;]|^(?:[a-z][\w+.-]*:)?)([^=?&#;/:@]+)=([^&#;]*)/gi,
    (whole, before: string, name: string) => (SECRET_NAME.test(name) ? `${before}${name}=${HIDDEN}` : whole),
  );
}

function hideUser(text: string): string {
  return text.replace(/^([^/?#]*:)?\/\/([^/?#]*)@/, (_, scheme: string | undefined, user: string) => {
    const colon = user.indexOf(':');
    const shown = colon > 0 ? `${user.slice(0, colon)}:${HIDDEN}` : HIDDEN;
    return `${scheme ?? ''}//${shown}@`;
  });
}

/** In what is none, a password may hold anything: all up to the last @ is hidden. */
function isUrl(text: string): boolean {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}
