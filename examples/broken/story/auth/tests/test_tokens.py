import pytest
from courier import tokens


@pytest.mark.business_value("nobody speaks in another's name")
def test_a_forged_token_is_refused():
    token = tokens.sign("ada")
    assert tokens.verify(token) == "ada"
    assert tokens.verify(token.replace("ada", "bob")) is None
