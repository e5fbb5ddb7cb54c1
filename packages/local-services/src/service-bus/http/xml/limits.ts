/** What one request's document may hold at most. Real ones stay far below. */
export const MAX_XML_BYTES = 1_048_576;
export const MAX_XML_DEPTH = 32;
export const MAX_XML_ELEMENTS = 20_000;
export const MAX_XML_ATTRIBUTES = 64;
