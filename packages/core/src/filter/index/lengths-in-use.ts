/** The lengths of a partition's keys, each with how many keys have it. */
export class LengthsInUse {
  shortestFirst: readonly { readonly length: number; count: number }[] = [];

  add(length: number): void {
    const found = this.shortestFirst.find((one) => one.length === length);
    if (found !== undefined) found.count += 1;
    else this.shortestFirst = [...this.shortestFirst, { length, count: 1 }].sort((a, b) => a.length - b.length);
  }

  remove(length: number): void {
    const found = this.shortestFirst.find((one) => one.length === length)!;
    found.count -= 1;
    if (found.count === 0) this.shortestFirst = this.shortestFirst.filter((one) => one !== found);
  }
}
