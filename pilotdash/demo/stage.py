"""Puts the demo's people, providers, candidates and pilots in place, by the same actions as pages."""
