/** What one request's document may hold at most. Real ones stay far below. */
export const MAX_XML_BYTES = 262_144;
export const MAX_XML_DEPTH = 32;
/** Comments, instructions and sections of characters count as well. */
export const MAX_XML_ELEMENTS = 5_000;
export const MAX_XML_ATTRIBUTES = 64;
