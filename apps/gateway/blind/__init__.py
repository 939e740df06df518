"""Answers to blind aliases: made anew from what is allowed, so that nothing tells who answered.

What is not named in these modules does not reach the developer. A style cannot be hidden.
"""
