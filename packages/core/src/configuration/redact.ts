const HIDDEN = '***';
/** Names whose values are secrets, whatever the values look like. */
const SECRET_NAME =
  /key|token|secret|pass|pwd|pw$|pin$|sig|sas|auth|cred|code|cert|jwt|bearer|session|private|user|login/i;
/** Shorter ones are not searched for in texts: they occur by chance. */
const MIN_SECRET_LENGTH = 4;
/** Messages that repeat a parameter cut it here. */
const CUT_LENGTH = 40;

/**
 * An address fit for errors, logs and reports. Takes whatever may be pasted as one: URLs, connection strings, malformed
 * text. Only what is known to be harmless is kept: scheme, host, port, a user name in front of a password, plain words in
 * the path, and parameters that neither sound nor look like a secret. All else becomes `***`.
 */
export function redactUrl(url: string | URL): string {
  return new Redaction().address(textOf(url));
}

/** A text without the secrets of the addresses in it, and without `known` ones. For messages of others: it cannot be as strict as {@link redactUrl}. */
export function redactText(text: string, known: readonly string[] = []): string {
  let shown = text;
  for (const secret of [...known].sort((left, right) => right.length - left.length)) {
    if (secret.length >= MIN_SECRET_LENGTH) shown = shown.replaceAll(secret, HIDDEN);
  }
  return shown
    .replace(/(["'`])([^"'`\n]*(?::\/\/|@|;\s*[\w%.-]+=)[^"'`\n]*)\1/g, (_, quote: string, inner: string) =>
      isAddress(inner) ? `${quote}${redactUrl(inner)}${quote}` : `${quote}${inner}${quote}`,
    )
    .replace(/[^\s"'`<>(){}]+/g, (word) => {
      const [, bare = '', tail = ''] = /^(.*?)([:;,.!\]]*)$/s.exec(word) ?? [];
      return isAddress(bare) ? redactUrl(bare) + tail : word;
    })
    .replace(SECRET_PAIR, `$1${HIDDEN}`);
}

/** A name that is repeated to people, where something else may have been pasted. */
export function redactName(name: string): string {
  return isPathWord(name) ? name : redactUrl(name);
}

/** What {@link redactUrl} hides of an address, as written and decoded: to be kept out of messages that others make. */
export function secretsOf(url: string | URL): readonly string[] {
  const redaction = new Redaction();
  redaction.address(textOf(url));
  const found = new Set<string>();
  for (const hidden of redaction.hidden.flatMap(readings)) {
    // User and password stand together where an address is malformed, and are used apart. Plain words occur by chance.
    const parts = hidden.split(/[:@/?#&;,=+\s]+/).filter((part) => !isWord(part));
    for (const part of [hidden, hidden.replace(/^:/, ''), ...parts]) {
      for (const form of [part, recoded(encodeURIComponent, part), recoded(encodeURI, part)]) {
        if (form.length >= MIN_SECRET_LENGTH) found.add(form).add(form.slice(0, CUT_LENGTH));
      }
    }
  }
  return [...found];
}

/** A copy of what was thrown, without secrets of an address in what it says; the original may repeat them in any property. */
export function redactError(thrown: unknown, secrets: readonly string[]): Error {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const copy = new Error(redactText(String(message), secrets));
  copy.name = String(name);
  copy.stack = redactText(String(stack), secrets);
  return copy;
}

const SECRET_PAIR = new RegExp(
  `((?:^|[\\s?&;,"'{])["']?[\\w%.-]*(?:${SECRET_NAME.source})[\\w%.-]*["']?=)[^\\s&;#"']+`,
  'gi',
);

/** Does a word in a text hold an address? Package names, e-mail addresses and files hold an @, too. */
function isAddress(word: string): boolean {
  if (/^(?:\(?file:\/\/)?\/[\w.]/i.test(word) || /^node:/.test(word)) return false;
  if (/^[a-z][a-z0-9+.-]*:\/\/./i.test(word) || /;\s*[\w%.-]+=/.test(word)) return true;
  const at = word.lastIndexOf('@');
  return at > 0 && /[:/]/.test(word.slice(0, at)) && !/^@?[\w.-]+\/[\w.@-]+$/.test(word);
}

/** One pass over an address, which notes down what it hides. */
class Redaction {
  readonly hidden: string[] = [];

  address(text: string): string {
    const connection = /^(?:[a-z][a-z0-9+.-]*:)?[^=?#/@]*=.*$/is;
    const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:)\/\/(.*)$/is.exec(text) ?? [];
    if (scheme !== '') return `${this.#scheme(scheme)}//${this.#place(rest)}`;
    if (connection.test(text) || /^[^=?#/@]+[,;][^=]*=/s.test(text)) return this.#pairs(text);
    const [, opaque = '', after = ''] = /^([a-z][a-z0-9+.-]*:)(.*)$/is.exec(text) ?? [];
    if (opaque === '') return this.#loose(text);
    if (/^\d{1,5}$/.test(after) || after === '') return text;
    if (/^\/?\?/.test(after)) return `${this.#scheme(opaque)}${this.#tail(after)}`;
    // `user:password@host`: what stands in front is then not a scheme.
    if (after.includes('@') && !after.startsWith('/')) return this.#place(text);
    if (after.includes('@')) return `${this.#scheme(opaque)}${this.#place(after)}`;
    // `scheme:orders`, or `user:password`. A plain word is not noted down, since it would be searched for in every message.
    return `${this.#scheme(opaque)}${isWord(after) ? HIDDEN : this.#hide(after)}`;
  }

  /** `user:password@host:port/path?name=value#fragment`. */
  #place(text: string): string {
    const at = text.lastIndexOf('@');
    if (at < 0) return this.#host(text);
    const before = text.slice(0, at);
    // Either the password holds a `?`, or a parameter an `@`: any part may then be the secret.
    if (/[?#].*=/s.test(before)) return this.#hide(text);
    const [, user] = /^([\w.-]{1,40}):./s.exec(before) ?? [];
    // A name that is not made of words may be a token, too.
    const isName = user !== undefined && isPathWord(user);
    const shown = isName ? `${user}:${this.#hide(before.slice(user.length + 1))}` : this.#hide(before);
    return `${shown}@${this.#host(text.slice(at + 1))}`;
  }

  #host(text: string): string {
    const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(text) ?? [];
    const hosts = authority.split(',').map((one) => {
      if (one === '' || isHost(one)) return one;
      const [, host, port] = /^([\w. -]{1,253}):(.+)$/s.exec(one) ?? [];
      return host?.split(' ').every(isHost) ? `${host}:${this.#hide(port!)}` : this.#hide(one);
    });
    return hosts.join(',') + this.#tail(tail);
  }

  #tail(text: string): string {
    const [, path = '', query = '', fragment = ''] = /^([^?#]*)(\?[^#]*)?(#.*)?$/s.exec(text) ?? [];
    const segments = path.split('/').map((one) => (isPathWord(one) ? one : this.#hide(one)));
    return segments.join('/') + this.#parameters(query) + this.#parameters(fragment);
  }

  /** With the `?` or `#` in front. */
  #parameters(text: string): string {
    return text.replace(/[^?#&;]+/g, (pair) => this.#pair(pair));
  }

  /** `Endpoint=scheme://host/;SharedAccessKey=…`, perhaps behind a scheme; `host:6380,password=…`. */
  #pairs(text: string): string {
    const [, scheme = '', rest = ''] = /^((?:[a-z][a-z0-9+.-]*:(?=[^=,;]*=))?)(.*)$/is.exec(text) ?? [];
    let first = true;
    const shown = rest.replace(/[^;,]+/g, (part) => {
      const isPair = part.includes('=');
      const pair = isPair ? this.#pair(part) : first && isHost(part) ? part : this.#hide(part);
      first = false;
      return pair;
    });
    return `${scheme === '' ? '' : this.#scheme(scheme)}${shown}`;
  }

  #pair(pair: string): string {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? undefined : pair.slice(at + 1);
    if (!/^\s*[A-Za-z][A-Za-z_. -]{0,31}$/.test(name)) return this.#hide(pair);
    if (value === undefined) return isWord(name) ? name : this.#hide(name);
    if (value === '') return `${name}=`;
    if (SECRET_NAME.test(name)) return `${name}=${this.#hide(value)}`;
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return `${name}=${this.address(value)}`;
    return `${name}=${isWord(value) || isHostList(value) ? value : this.#hide(value)}`;
  }

  /** Without a scheme: a host may be shown where nothing else can be meant. */
  #loose(text: string): string {
    if (text.includes('@')) {
      const at = text.lastIndexOf('@');
      return `${this.#hide(text.slice(0, at))}@${this.#host(text.slice(at + 1))}`;
    }
    const [, authority = ''] = /^([^/?#]*)/.exec(text) ?? [];
    const isSurely =
      isHost(authority) && /^(?:localhost\b|\[|[^:]*[^.:\d][^:]*\.[A-Za-z]{2,24}\b|\d+(?:\.\d+){3}\b)/i.test(authority);
    return isSurely ? this.#host(text) : this.#hide(text);
  }

  #scheme(scheme: string): string {
    return /^[a-z+.-]{1,24}:$/i.test(scheme) ? scheme : `${this.#hide(scheme.slice(0, -1))}:`;
  }

  #hide(text: string): string {
    if (text === '') return '';
    this.hidden.push(text);
    return HIDDEN;
  }
}

/** `cache-01.example:6379`, `[::1]:6379`. Long names without a dot are rather tokens. */
function isHost(text: string): boolean {
  if (/^\[[0-9a-f:.]+(?:%[\w.-]+)?\](?::\d{1,5})?$/i.test(text)) return true;
  const [, name] = /^([\p{L}\p{N}_-]{1,63}(?:\.[\p{L}\p{N}_-]{1,63})*\.?)(?::\d{1,5})?$/u.exec(text) ?? [];
  if (name === undefined) return false;
  return /[.-]/.test(name) || (name.length <= 24 && !(name.length >= 8 && /\d[A-Za-z]+\d/.test(name)));
}

function isHostList(text: string): boolean {
  return text.split(',').every((one) => /:\d{1,5}$/.test(one) && isHost(one));
}

/** Letters, or a number with its unit; several joined by dashes or dots. */
function isWord(text: string): boolean {
  return text.length <= 40 && text.split(/[-_.]/).every((part) => /^(?:[A-Za-z]{0,16}|\d{1,12}[a-z]{0,2})$/.test(part));
}

function isPathWord(text: string): boolean {
  return text.length <= 40 && text.split(/[-_.]/).every((part) => /^(?:[A-Za-z]{0,16}\d{0,3}|\d{1,9})$/.test(part));
}

function textOf(url: string | URL): string {
  return (typeof url === 'string' ? url : url.href).trim();
}

/** As it stands, and as URLs and forms are read. */
function readings(text: string): readonly string[] {
  return [text, recoded(decodeURIComponent, text), recoded(decodeURIComponent, text.replaceAll('+', ' '))];
}

/** The text itself where it cannot be recoded: a lone % or surrogate. */
function recoded(how: (text: string) => string, text: string): string {
  try {
    return how(text);
  } catch {
    return text;
  }
}
