import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeIdentity } from '../../src/listener/certificate.ts';
import { TestAuthority } from '../../src/listener/index.ts';
import { echoListener } from './harness.ts';

describe('the certificate', () => {
  it('is signed by an authority that may sign for these names alone', async () => {
    const { caCert, cert } = await makeIdentity(['bus.example', '10.1.2.3']);
    const ca = new X509Certificate(caCert);
    const leaf = new X509Certificate(cert);
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkIssued(ca)).toBe(true);
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    for (const name of ['localhost', 'bus.example']) expect(leaf.checkHost(name)).toBe(name);
    for (const address of ['127.0.0.1', '::1', '10.1.2.3']) expect(leaf.checkIP(address)).toBe(address);
    expect(leaf.subjectAltName).toContain('DNS:*.localhost');
    expect(leaf.checkHost('example.com')).toBeUndefined();
    expect(leaf.publicKey.asymmetricKeyType).toBe('ec');
    const nameConstraints = Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x1e, 0x01, 0x01, 0xff]);
    expect(ca.raw.includes(nameConstraints)).toBe(true);
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now() - 3_600_000);
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBeLessThan(398 * 86_400_000);
  });

  it('is another one each time', async () => {
    const [one, other] = await Promise.all([makeIdentity(), makeIdentity()]);
    expect(new X509Certificate(one.cert).verify(new X509Certificate(other.caCert).publicKey)).toBe(false);
  });
});

describe('the file of the authority', () => {
  it('is private, the same for all who ask, and goes with close', async () => {
    const authority = new TestAuthority();
    const [path, again] = await Promise.all([authority.caFile(), authority.caFile()]);
    expect(again).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    const { caCert } = await authority.identity();
    expect(readFileSync(path, 'utf8')).toBe(caCert);
    expect(readFileSync(path, 'utf8')).not.toContain('PRIVATE');
    await authority.close();
    await authority.close();
    expect(existsSync(dirname(path))).toBe(false);
    await expect(authority.caFile()).rejects.toThrow('stopped');
  });

  it.each([
    ['trusted through NODE_EXTRA_CA_CERTS', true],
    ['not trusted without', false],
  ])('the server is %s', async (_name, trusting) => {
    const authority = new TestAuthority();
    const listener = await echoListener({ tls: authority });
    const program = `
      for (const host of ['localhost', '127.0.0.1']) {
        const response = await fetch('https://' + host + ':${listener.port}/fine');
        console.log((await response.json()).url);
      }`;
    const env = { ...process.env, ...(trusting && { NODE_EXTRA_CA_CERTS: await authority.caFile() }) };
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env });
    if (trusting) expect((await run).stdout).toBe('/fine\n/fine\n');
    else await expect(run).rejects.toThrow(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify/);
    await authority.close();
  });
});
