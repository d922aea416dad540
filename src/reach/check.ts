/** One user: the audiences they are in, and the load that put them there. */
import type { AudienceRef } from "../audience.js";
import type { AudienceVersion } from "../store/audiences.js";
import type { Store } from "../store/store.js";

export interface Membership {
  readonly ref: AudienceRef;
  /** The version since which the user is in it without a break. For integer ids, as far as can be told from the versions that are kept. */
  readonly version: number;
  /** Null when that version is not kept any more. */
  readonly load: AudienceVersion | null;
}

/** @param user a valid user id */
export function checkUser(store: Store, user: string): Membership[] {
  return store.audiences.list().flatMap(({ id, ref }) => {
    const version = store.audiences.members.memberSince(id, user);
    if (version === undefined) return [];
    return [{ ref, version, load: store.audiences.history(ref).find((one) => one.version === version) ?? null }];
  });
}
