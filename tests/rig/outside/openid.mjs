// An OpenID provider (oidc-provider) over TLS: the typed name is the user's identity; "twice"
// signs in with a second factor, "claims" replaces claims of the token.
import fs from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const [folder, issuer, client, secret, back] = process.argv.slice(2);
const { hostname, port } = new URL(issuer);
const own = { client_id: client, client_secret: secret, redirect_uris: [back] };
const provider = new Provider(issuer, {
  clients: [{ ...own, token_endpoint_auth_method: "client_secret_basic" }],
  claims: { openid: ["sub", "amr"] },
  cookies: { keys: ["of this provider"] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
});
const claimed = new Map();
const payload = provider.IdToken.prototype.payload;
provider.IdToken.prototype.payload = async function () {
  const right = await payload.call(this);
  return { ...right, ...claimed.get(right.sub) };
};
// The page where users identify themselves.
provider.use(async (context, next) => {
  if (!context.path.startsWith("/interaction/")) return next();
  if (context.method === "GET") {
    context.type = "html";
    context.body = `<!doctype html><title>OneID</title><form><input name="login"><input name="twice"><button>OK</button></form>`;
    if (!("login" in context.query)) return;
    const { login, twice, claims } = context.query;
    claimed.set(login, JSON.parse(claims ?? "{}"));
    const result = login
      ? { login: { accountId: login, amr: twice ? ["pwd", "otp", "mfa"] : ["pwd"] } }
      : { error: "access_denied", error_description: "given up" };
    await provider.interactionFinished(context.req, context.res, result);
    context.respond = false;
  }
});
const tls = { key: fs.readFileSync(`${folder}/server.key`), cert: fs.readFileSync(`${folder}/server.pem`) };
https.createServer(tls, provider.callback()).listen(Number(port), hostname, () => console.log("listens"));
