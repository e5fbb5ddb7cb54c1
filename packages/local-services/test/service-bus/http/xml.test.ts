import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpError } from '../../../src/http/http-error.ts';
import { MAX_XML_ATTRIBUTES, MAX_XML_DEPTH, MAX_XML_ELEMENTS } from '../../../src/service-bus/http/xml/limits.ts';
import { readXml, textOf } from '../../../src/service-bus/http/xml/read.ts';
import { add, createRoot, serialize } from '../../../src/service-bus/http/xml/write.ts';

const read = (text: string) => readXml(Buffer.from(text));
const refusal = (text: string | Buffer): string => {
  try {
    readXml(Buffer.from(text as string));
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('XML from a client', () => {
  it('is refused with a document type, however it is written', () => {
    const bomb = '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>';
    expect(refusal(`${bomb}<a>&b;</a>`)).toMatch(/document type/);
    expect(refusal(`<?xml version="1.0"?><!-- x -->\n${bomb}<a/>`)).toMatch(/document type/);
    expect(refusal('<!doctype html><a/>')).toMatch(/document type/);
    expect(refusal('<a><!ENTITY b "c"></a>')).toMatch(/document type/);
  });

  it('is bounded in depth, elements and attributes', () => {
    const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
    expect(refusal(nested(MAX_XML_DEPTH))).toBe('accepted');
    expect(refusal(nested(MAX_XML_DEPTH + 1))).toMatch(/too deeply/);
    expect(refusal(nested(100_000))).toMatch(/too deeply/);
    for (const piece of ['<b/>', '<!---->', '<?b?>', '<![CDATA[]]>']) {
      expect(refusal(`<a>${piece.repeat(MAX_XML_ELEMENTS)}</a>`)).toMatch(/too many elements/);
    }
    const attributes = Array.from({ length: MAX_XML_ATTRIBUTES + 1 }, (_, index) => `a${index}="1"`);
    expect(refusal(`<a ${attributes.slice(1).join(' ')}/>`)).toBe('accepted');
    expect(refusal(`<a ${attributes.join(' ')}/>`)).toMatch(/too many attributes/);
  });

  it('does not count what stands in quotes, comments and CDATA', () => {
    const inside = '<x>'.repeat(100);
    expect(read(`<a><!-- ${inside} --><![CDATA[${inside}]]></a>`).textContent).toBe(inside);
    expect(read('<a b=">" c=\'">\'/>').getAttribute('c')).toBe('">');
  });

  it.each([
    '',
    'plain text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a b=1/>',
    '<a b="1" b="2"/>',
    '<a>&nosuch;</a>',
    '<p:a/>',
    '<a',
    '<a b="',
    '<!-- ',
    '<![CDATA[',
    '<?xml ',
    '</a>',
    '<a>text</a>more',
  ])('is refused when it is not well formed: %j', (text) => expect(refusal(text)).not.toBe('accepted'));

  it('is refused when it is not UTF-8, and read when it is UTF-16', () => {
    expect(refusal(Buffer.from([0x3c, 0x61, 0xff, 0x2f, 0x3e]))).toMatch(/UTF-8/);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('<a>ü</a>', 'utf16le')]);
    expect(readXml(utf16).textContent).toBe('ü');
  });

  it('ends its lines as XML 1.0 says', () => {
    expect(textOf(read('<a>1\r\n2\r3\u00854\u20285&#13;</a>'))).toBe('1\n2\n3\u00854\u20285\r');
  });

  it('has no text XML forbids', () => {
    expect(() => textOf(read('<a>&#1;</a>'))).toThrow(/does not allow/);
  });

  it('never breaks the reader: any text is read or refused', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '!',
      '?',
      '"',
      "'",
      'a',
      'b:',
      'xmlns="u" ',
      '=',
      '&amp;',
      '&',
      '-->',
      ']]>',
      ' ',
    );
    const document = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 40 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(document, (text) => void refusal(text)),
      { numRuns: 500 },
    );
  });
});

describe('XML to a client', () => {
  it('gives any text back, but for what XML forbids', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const root = createRoot('urn:x', 'a');
        add(root, 'b', text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML does not allow
        const expected = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
        expect(read(serialize(root)).textContent).toBe(expected);
      }),
    );
  });

  it('has no half of a surrogate pair', () => {
    const root = createRoot('urn:x', 'a');
    add(root, 'b', 'x\ud800y\udc00');
    expect(read(serialize(root)).textContent).toBe('x\ufffdy\ufffd');
  });
});
