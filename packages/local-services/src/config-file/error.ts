/** A start file that cannot be read or makes no sense. The message names the file and the place in it. */
export class ConfigFileError extends Error {
  override readonly name = 'ConfigFileError';
  readonly code = 'invalid-configuration';
}
