import type { Right, TokenKind } from '../../auth/index.ts';

/** What a valid token lets its bearer do. */
export interface GrantLike {
  /** @param path of an entity, or of something of it, without a leading slash; '' is the namespace */
  allows(path: string, right: Right): boolean;
}

/** Checks tokens: HTTP needs no more of the namespace's authority than this. */
export interface AuthorityLike {
  /**
   * @param audience URL of what is asked for, which the grant is then for
   * @param now epoch ms
   * @throws AuthError
   */
  verify(kind: TokenKind, token: string, audience: string, now: number): GrantLike | Promise<GrantLike>;
}
