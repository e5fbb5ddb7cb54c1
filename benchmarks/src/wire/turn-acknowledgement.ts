/**
 * Some libraries return from publish without waiting for Redis. To compare like with like they get one PING a turn of the
 * event loop on their own connection: its answer says that all before it was taken.
 */
export function acknowledgedByTurn(ping: () => Promise<unknown>): () => Promise<unknown> {
  let turn: Promise<unknown> | undefined;
  return () => {
    turn ??= new Promise((resolve, reject) => {
      process.nextTick(() => {
        turn = undefined;
        ping().then(resolve, reject);
      });
    });
    return turn;
  };
}
