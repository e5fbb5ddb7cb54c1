import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, makeIdentity } from './certificate.ts';

/** Where a listener gets its certificate from, when the first client speaks TLS. PEM. */
export interface SecureContextSource {
  identity(): Promise<{ readonly cert: string; readonly key: string }>;
}

/**
 * The certificate authority of one service, made on the first need, so that a service nobody speaks TLS to starts without it.
 * Give the same one to a listener that is opened again: clients then still trust it.
 */
export class TestAuthority implements SecureContextSource {
  readonly #names: readonly string[];
  #identity: Promise<Identity> | undefined;
  #file: Promise<string> | undefined;
  #folder: string | undefined;
  #closed = false;
  readonly #onExit = () => {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  };

  /** @param names host names and addresses the server is reached by, besides those of this machine's loopback */
  constructor(names: readonly string[] = []) {
    this.#names = names;
  }

  identity(): Promise<Identity> {
    this.#identity ??= makeIdentity(this.#names);
    return this.#identity;
  }

  /**
   * Writes the authority's certificate, which is no secret, into a file only this user can read, and tells its path: for
   * `NODE_EXTRA_CA_CERTS` and the like. The file goes with `close` or with the process.
   * @throws Error after `close`
   */
  caFile(): Promise<string> {
    if (this.#closed) return Promise.reject(new Error('the service has been stopped: its CA file is gone'));
    this.#file ??= this.#write();
    return this.#file;
  }

  async #write(): Promise<string> {
    const { caCert } = await this.identity();
    this.#folder = await mkdtemp(join(tmpdir(), 'polycast-ca-'));
    process.once('exit', this.#onExit);
    const path = join(this.#folder, 'ca.pem');
    await writeFile(path, caCert, { mode: 0o600 });
    return path;
  }

  /** Removes the file. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#file?.catch(() => {});
    process.off('exit', this.#onExit);
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}
