// Passkeys in this browser. The server's options are JSON; the browser wants bytes, and gives bytes back.

const decoded = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));

const encoded = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

// An address of digits cannot hold a passkey, whatever the browser can do.
export const isAddressOfDigits = /^[\d.]+$|^\[/.test(location.hostname);

export const canUsePasskeys = "PublicKeyCredential" in window && !isAddressOfDigits;

// The person said no, or took too long: the browser does not tell which.
export const wasLeft = (error) =>
  error instanceof DOMException && ["NotAllowedError", "AbortError"].includes(error.name);

export const isKnownHere = (error) => error instanceof DOMException && error.name === "InvalidStateError";

export async function makePasskey({ challenge, user, excludeCredentials = [], ...rest }) {
  const publicKey = {
    ...rest,
    challenge: decoded(challenge),
    user: { ...user, id: decoded(user.id) },
    excludeCredentials: excludeCredentials.map((known) => ({ ...known, id: decoded(known.id) })),
  };
  const made = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = made.response;
  return credentialOf(made, {
    clientDataJSON: encoded(clientDataJSON),
    attestationObject: encoded(attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

export async function answerWithPasskey({ challenge, allowCredentials: _, ...rest }) {
  const made = await navigator.credentials.get({ publicKey: { ...rest, challenge: decoded(challenge) } });
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  return credentialOf(made, {
    clientDataJSON: encoded(clientDataJSON),
    authenticatorData: encoded(authenticatorData),
    signature: encoded(signature),
    ...(userHandle ? { userHandle: encoded(userHandle) } : {}),
  });
}

function credentialOf(made, response) {
  return { id: made.id, rawId: encoded(made.rawId), type: made.type, response, clientExtensionResults: {} };
}
