/** Where the authorization server answers. */
export const paths = {
  authorization: "/authorize",
  token: "/token",
  jwks: "/jwks",
  registration: "/register",
  revocation: "/revoke",
  end_session: "/logout",
  introspection: "/introspect",
  code_verification: "/device",
  device_authorization: "/device/authorize",
} as const;
