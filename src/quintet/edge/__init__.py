"""What every request meets: problem details, the request id, Origin and Host policy, strict JSON, throttles.

It knows nothing of accounts: whoever needs an identity hands in the function that finds it.
"""
