"""How right the failure analyst is, on runs whose true causes are known."""
