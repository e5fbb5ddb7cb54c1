/** Host and port of a Redis URL, for libraries that do not take URLs. */
export function hostAndPort(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
