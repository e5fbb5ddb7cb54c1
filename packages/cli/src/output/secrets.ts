const SECRET_NAME = '[\\w.-]*(?:pass|pwd|secret|token|key|sig|credential|auth)[\\w.-]*';
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@:]*)(:[^\s/?#]*)?@/gi;
const SECRET_PAIR = new RegExp(`((?:^|[\\s?&;])${SECRET_NAME}=)[^\\s&;#]+`, 'gi');

/** Any text without passwords, keys and tokens of the URLs and connection strings in it. */
export function hideSecrets(text: string): string {
  return text
    .replace(USER_INFO, (_, scheme: string, user: string, password: string | undefined) =>
      // A name without a password may itself be a token.
      password === undefined || user === '' ? `${scheme}***@` : `${scheme}${user}:***@`,
    )
    .replace(SECRET_PAIR, '$1***');
}
