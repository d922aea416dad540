/** Where the select script finds a user's row of the audience index. */
import { type AudienceIndex, blockForms, blockOf, bucketOf, rowWidth } from "../audience-rows.js";
import { CHUNK_BITS } from "../chunk.js";
import { localId } from "../partition.js";
import type { Keys } from "./keys.js";

/** Bytes from…to of a string; or the field `from` of a hash, `to` being ''; or nowhere, both being ''. */
export interface RowPlace {
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

/** Finds the row of a user id, in the user's partition. @param integer the id's number when it is an integer id */
export type RowFinder = (id: string, integer: number | undefined) => RowPlace;

/** @param index null where there is none: no user has a row then */
export function rowFinder(keys: Keys, index: AudienceIndex | null): RowFinder {
  // Every key must be one of this list's; one that is not read is named instead of none.
  const nowhere: RowPlace = { key: keys.list, from: "", to: "" };
  if (index === null) return () => nowhere;
  const forms = new Map([...blockForms(index)].map(([block, form]) => [block, { dense: form === "dense", key: keys.rowBlock(index.generation, block) }]));
  const width = rowWidth(index.slots);
  const { count } = keys.share;
  return (id, whole) => {
    const integer = whole === undefined || count === 1 ? whole : localId(whole, count);
    if (integer === undefined) {
      return index.buckets === 0 ? nowhere : { key: keys.rowBucket(index.generation, bucketOf(id, index.buckets)), from: id, to: "" };
    }
    const form = forms.get(blockOf(integer));
    if (!form) return nowhere;
    const place = integer % CHUNK_BITS;
    return form.dense ? { key: form.key, from: String(place * width), to: String((place + 1) * width - 1) } : { key: form.key, from: String(place), to: "" };
  };
}
