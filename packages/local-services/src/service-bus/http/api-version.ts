import { badRequest } from '../../http/index.ts';

/**
 * Versions of the administration API that are spoken. 2021-05 knows the largest message of an entity, 2024-05 how many filters a
 * topic has.
 */
export const API_VERSIONS = ['2017-04', '2021-05', '2024-05'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** Requests that name none get the oldest one. @throws HttpError 400 for any other */
export function apiVersion(query: URLSearchParams): ApiVersion {
  const asked = query.get('api-version');
  if (asked === null) return '2017-04';
  const known = API_VERSIONS.find((version) => version === asked);
  if (known !== undefined) return known;
  throw badRequest(
    `The specified api-version '${asked.slice(0, 30)}' is not supported. The supported versions are '${API_VERSIONS.join(';')}'.`,
  );
}
