"""The demo: simulated providers, a sample pilot with a history, and a trickle of real calls."""
