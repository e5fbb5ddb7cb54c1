import { createHash, generateKeyPair, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
// Loaded on the first need of TLS: most never need it, and it takes 40 ms.
import type * as Asn1 from '@peculiar/asn1-schema';
import type * as X509 from '@peculiar/asn1-x509';

/** The names every certificate of ours is for. */
const LOCAL_NAMES: readonly string[] = ['localhost', '*.localhost', '127.0.0.1', '::1'];
const DAY_MS = 86_400_000;
/** Clocks of containers differ; browsers refuse leaves that live longer than 398 days. */
const VALID_BEFORE_MS = DAY_MS;
const VALID_FOR_MS = 396 * DAY_MS;

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';

/** All PEM. */
export interface Identity {
  readonly caCert: string;
  readonly cert: string;
  /** Of `cert`. That of the authority is forgotten as soon as it has signed. */
  readonly key: string;
}

/**
 * Makes an authority of its own and a server certificate signed by it, both ECDSA P-256. The authority may sign for nothing
 * but these names (RFC 5280 §4.2.1.10), so that trusting it endangers nothing else.
 * @param names host names and addresses the server is reached by, besides localhost, *.localhost, 127.0.0.1 and ::1
 */
export async function makeIdentity(names: readonly string[] = []): Promise<Identity> {
  const [asn1, x509, caKeys, keys] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
    newKeys(),
    newKeys(),
  ]);
  const all = [...new Set([...LOCAL_NAMES, ...names])];
  const issuer = { name: `Polycast local test CA ${randomBytes(4).toString('hex')}`, key: caKeys.privateKey };
  const keyId = keyIdOf(caKeys.publicKey);
  const extension = (id: string, value: unknown, critical = false) =>
    new x509.Extension({
      extnID: id,
      critical,
      extnValue: new asn1.OctetString(asn1.AsnConvert.serialize(value)),
    });
  const usage = (flags: number) => extension(x509.id_ce_keyUsage, new x509.KeyUsage(flags), true);
  const { keyCertSign, digitalSignature } = x509.KeyUsageFlags;

  const caCert = certificate(asn1, x509, issuer.name, caKeys.publicKey, issuer, [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    usage(keyCertSign),
    extension(x509.id_ce_nameConstraints, permitted(x509, all), true),
    extension(x509.id_ce_subjectKeyIdentifier, new x509.SubjectKeyIdentifier(keyId)),
  ]);
  const cert = certificate(asn1, x509, 'localhost', keys.publicKey, issuer, [
    extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false }), true),
    usage(digitalSignature),
    extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth])),
    extension(x509.id_ce_subjectAltName, new x509.SubjectAlternativeName(all.map((name) => generalName(x509, name)))),
    extension(
      x509.id_ce_authorityKeyIdentifier,
      new x509.AuthorityKeyIdentifier({ keyIdentifier: new x509.KeyIdentifier(keyId) }),
    ),
  ]);
  return { caCert, cert, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function newKeys(): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
}

function certificate(
  { AsnConvert }: typeof Asn1,
  x509: typeof X509,
  subject: string,
  publicKey: KeyObject,
  issuer: { name: string; key: KeyObject },
  extensions: X509.Extension[],
): string {
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const serial = randomBytes(16);
  // A serial number is positive and has no leading zeros.
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: bufferOf(serial),
    signature: algorithm,
    issuer: commonName(x509, issuer.name),
    validity: new x509.Validity({
      notBefore: new Date(Date.now() - VALID_BEFORE_MS),
      notAfter: new Date(Date.now() + VALID_FOR_MS),
    }),
    subject: commonName(x509, subject),
    subjectPublicKeyInfo: AsnConvert.parse(spki(publicKey), x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions(extensions),
  });
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.key);
  const whole = AsnConvert.serialize(
    new x509.Certificate({ tbsCertificate, signatureAlgorithm: algorithm, signatureValue: bufferOf(signature) }),
  );
  return pem(Buffer.from(whole));
}

function commonName(x509: typeof X509, name: string): X509.Name {
  const value = new x509.AttributeValue({ utf8String: name });
  return new x509.Name([
    new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: COMMON_NAME, value })]),
  ]);
}

function generalName(x509: typeof X509, name: string, { masked = false } = {}): X509.GeneralName {
  const version = isIP(name);
  if (version === 0) return new x509.GeneralName({ dNSName: name });
  return new x509.GeneralName({ iPAddress: masked ? `${name}/${version === 4 ? 32 : 128}` : name });
}

/** A name stands for itself and what is below it; an address needs a mask. */
function permitted(x509: typeof X509, names: readonly string[]): X509.NameConstraints {
  const bases = names.filter((name) => !name.startsWith('*.')).map((name) => generalName(x509, name, { masked: true }));
  return new x509.NameConstraints({
    permittedSubtrees: new x509.GeneralSubtrees(bases.map((base) => new x509.GeneralSubtree({ base }))),
  });
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function keyIdOf(key: KeyObject): ArrayBuffer {
  return bufferOf(createHash('sha256').update(spki(key)).digest().subarray(0, 20));
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
