"""What a user can enter with besides the password, made over HTTP: for tests that ask whose it is."""

from quintet.testing.accounts.account import Account
from support.authenticator import Authenticator

__all__ = ["passkey_of"]


async def passkey_of(account: Account, name: str = "a passkey") -> str:
    """The id of a new passkey of the user. It is made under the name of the server: an address of digits holds none."""
    host = f"localhost:{account.http.base_url.port}"
    asked = await account.http.post(
        "/v1/auth/passkeys/options", json={"password": account.password}, headers={"Host": host}
    )
    assert asked.status_code == 200, asked.text
    credential = Authenticator(f"http://{host}").make(asked.json()["publicKey"])
    body = {"name": name, "credential": credential}
    made = await account.http.post("/v1/auth/passkeys", json=body, headers={"Host": host})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])
