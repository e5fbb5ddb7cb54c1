/** One thing the doctor looked at. */
export interface Finding {
  readonly what: string;
  /** `absent`: not there, and that is all right. */
  readonly status: 'ok' | 'absent' | 'problem';
  /** Without secrets. */
  readonly detail: string;
  /** What to do. */
  readonly advice?: string;
}
