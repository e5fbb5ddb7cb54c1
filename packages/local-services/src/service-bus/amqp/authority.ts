export type Right = 'manage' | 'send' | 'listen';

/** What a token or a key lets its bearer do. */
export interface GrantLike {
  /** What it is for, a path in lower case: '' is the whole namespace. */
  readonly audiencePath: string;
  /** Epoch ms; Infinity: as long as the connection lasts. */
  readonly expiresAtMs: number;
  /** @param path of an entity, a sub-queue, or `$management` of either */
  allows(path: string, right: Right): boolean;
}

/** Who may do what: the part of `auth/` that AMQP asks. Both refuse by throwing an error whose message may be shown. */
export interface AuthorityLike {
  /**
   * @param audience the resource the token is for: `sb://host/queue`
   * @param now epoch ms
   */
  verify(kind: 'sas' | 'jwt', token: string, audience: string, now: number): GrantLike | Promise<GrantLike>;
  /** SASL PLAIN. */
  plain(user: string, password: string): GrantLike;
}
