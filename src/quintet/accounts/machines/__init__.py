"""Programs that speak: service clients for themselves, API keys for the user who made them."""
