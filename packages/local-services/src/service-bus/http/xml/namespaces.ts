export const ATOM = 'http://www.w3.org/2005/Atom';
/** Descriptions of entities. */
export const SERVICE_BUS = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
/** Message counts only. */
export const COUNTS = 'http://schemas.microsoft.com/netservices/2011/06/servicebus';
export const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
export const XSD = 'http://www.w3.org/2001/XMLSchema';
/** .NET types that XML Schema has no name for. */
export const SERIALIZATION = 'http://schemas.microsoft.com/2003/10/Serialization/';
export const XMLNS = 'http://www.w3.org/2000/xmlns/';
export const XML = 'http://www.w3.org/XML/1998/namespace';
