"""From matches to causes: claims are weighed, what only follows is folded away, and each cause gets its whys and its place in the plan."""
