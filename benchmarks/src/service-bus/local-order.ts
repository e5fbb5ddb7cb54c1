/** What is asked of a process that holds the local service. It answers with one number. */
export type LocalOrder =
  /** ms from before the module is loaded until connections are taken. */
  | { readonly do: 'start' }
  /** Messages a second through one queue, sent and received by one client process. */
  | { readonly do: 'flow'; readonly messages: number; readonly batch: number }
  /** Copies (or, where few match, messages) a second that a topic takes. */
  | {
      readonly do: 'fan-out';
      readonly subscriptions: number;
      readonly messages: number;
      readonly matching: number;
    }
  /** Resident MB with so many messages in a queue. */
  | { readonly do: 'queued'; readonly messages: number }
  /** Heap at the end to heap half way, when code is compiled, entities, sessions and messages coming and going meanwhile. */
  | { readonly do: 'churn'; readonly seconds: number };

export interface LocalWorkload {
  readonly rounds: number;
  readonly messages: number;
  readonly queued: number;
  readonly subscriptions: number;
  readonly fanOutMessages: number;
  readonly churnSeconds: number;
}
