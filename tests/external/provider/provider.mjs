// Another provider to sign in with: the reference implementation of OpenID Connect for Node, PKCE required, with its own plain forms.
// usage: node provider.mjs PORT. Whoever signs in as NAME is NAME@example.com, confirmed unless the name begins with "claims".

import Provider, { errors } from "oidc-provider";

const port = Number(process.argv[2]);
const provider = new Provider(`http://localhost:${port}`, {
  clients: ["quintet", "another"].map((client_id) => ({
    client_id, client_secret: "a-secret-of-the-tests", redirect_uris: ["http://localhost/replaced"],
  })),
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  // For whoever asks for it: a token for a server that believes this provider, RFC 8707 and RFC 9068.
  features: {
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => {
        if (resource !== "urn:chat") throw new errors.InvalidTarget();
        return { scope: "chat", audience: "chat", accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } };
      },
    },
  },
  ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 600, AccessToken: 600, AuthorizationCode: 60 },
  cookies: { keys: ["a key of the tests"] },
  findAccount: (_, name) => ({
    accountId: name,
    claims: () => ({ sub: name, name, email: `${name}@example.com`, email_verified: !name.startsWith("claims") }),
  }),
});
// The server under test listens on a port that nobody knows before.
provider.Client.prototype.redirectUriAllowed = (uri) =>
  /^http:\/\/localhost:\d+\/(v1\/auth\/oidc\/house|another)\/callback$/.test(uri);
provider.listen(port, "127.0.0.1", () => console.log("listening"));

// Whoever started this holds the other end: it ends with them, however they end.
process.stdin.resume().on("end", () => process.exit());
