/** A credential as it travels, with the texts in it that must not come back. */
export interface Issued {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** The gateway's own credential for an upstream. Both methods throw where it cannot be had. */
export interface Credential {
  issue(): Promise<Issued>;
  /** Another one than the upstream refused; undefined where there is no other. */
  reissue(refused: Issued): Promise<Issued | undefined>;
}

export const bearer = (token: string): Issued => ({
  headers: { authorization: `Bearer ${token}` },
  secrets: [token],
});
