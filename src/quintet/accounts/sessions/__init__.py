"""From a proof to a session, from a token to an identity: opened, renewed, recognised, ended."""
