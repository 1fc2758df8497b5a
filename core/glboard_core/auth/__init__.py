"""Signing in: where tokens are found and kept, how they are checked, and the ways to get one by OAuth.

Everything is asked over the gateway's own transport, so proxies, certificates and bounds are the same.
"""
