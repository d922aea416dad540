/** The values by what they have in common, in their order. */
export function groupBy<K, V>(values: Iterable<V>, common: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const group = groups.get(common(value));
    if (group) group.push(value);
    else groups.set(common(value), [value]);
  }
  return groups;
}
