"""People whom somebody else vouches for: a provider to sign in with, an issuer whose access tokens are believed."""
