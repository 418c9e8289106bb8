"""Hold a naive reference solver of the policy page and a generator of small cases, to measure the engine against.

Nothing here imports the product: agreement is evidence only because the two were written apart.
"""
