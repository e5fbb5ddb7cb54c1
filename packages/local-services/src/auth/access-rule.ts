/** What a shared access policy or a role allows. Who may manage may also send and listen. */
export type Right = 'manage' | 'send' | 'listen';

export const ALL_RIGHTS: readonly Right[] = ['manage', 'send', 'listen'];

/** A shared access policy: who holds one of its keys may do this. */
export interface AccessRule {
  readonly name: string;
  readonly key: string;
  /** The other key, for changing keys without a gap. */
  readonly secondaryKey?: string;
  readonly rights: readonly Right[];
}
