/** Which audience is meant: a campaign's own user list, or a named segment. */
export type AudienceRef = { readonly kind: "users"; readonly campaignId: number } | { readonly kind: "segment"; readonly name: string };

/** How messages and the audit log name an audience. */
export function audienceLabel(ref: AudienceRef): string {
  return ref.kind === "segment" ? `segment:${ref.name}` : `campaign:${ref.campaignId}:users`;
}

/** As people name it: a segment by its name alone. */
export const shortLabel = (ref: AudienceRef): string => (ref.kind === "segment" ? ref.name : audienceLabel(ref));
