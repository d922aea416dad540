/** Numbers in ascending order. */
type Numbers = Uint16Array | Uint32Array;

/** Keeps each of the first `length` numbers once, at the front; returns how many there are. @param list its first `length` are ascending */
export function keepOnce(list: Numbers, length: number): number {
  let kept = Math.min(1, length);
  for (let at = 1; at < length; at++) if (list[at] !== list[at - 1]) list[kept++] = list[at] ?? 0;
  return kept;
}

/** Whether a number is among the first `length`. @param list its first `length` are ascending */
export function includesOrdered(list: Numbers, length: number, wanted: number): boolean {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low < length && list[low] === wanted;
}
